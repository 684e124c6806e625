#include "torrent/session.h"

#include "torrent/log.h"
#include "torrent/net/address_policy.h"
#include "torrent/peer/handshake_exchange.h"
#include "torrent/session_state.h"

#include <algorithm>
#include <cassert>

namespace rqfs::torrent {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

std::unique_ptr<SystemNetwork> open_network(Session::Parts const& parts, Settings const& settings) {
    if (parts.network != nullptr) return nullptr;
    InterfaceBinding const binding(settings.interface);
    if (!settings.proxy.empty()) return SystemNetwork::outgoing_only(parts.executor, parts.clock, binding);
    return std::make_unique<SystemNetwork>(parts.executor, parts.clock, settings.listen, binding);
}

std::unique_ptr<ProxiedNetwork> open_proxied(Session::Parts const& parts, Settings const& settings, Network& below) {
    if (settings.proxy.empty()) return nullptr;
    auto proxy = ProxyAddress::parse(settings.proxy);
    if (!proxy) throw_error(proxy.error().code, "network.proxy: " + proxy.error().what);
    return std::make_unique<ProxiedNetwork>(parts.executor, parts.clock, below, parts.resolver, std::move(*proxy));
}

}  // namespace

Session::State::State(Parts p, Settings s)
    : parts(p),
      settings(std::move(s)),
      system_network(open_network(parts, settings)),
      proxied(open_proxied(parts, settings, system_network ? *system_network : *parts.network)),
      network(proxied ? *proxied : system_network ? *system_network : *parts.network),
      resolver(proxied ? proxied->resolver() : parts.resolver),
      http(parts.clock, network.connector(), resolver, settings.test_network),
      tracker_clients(parts.executor, parts.clock, network.udp()),
      listener(parts.executor, parts.clock, network.acceptors(), *this,
               settings.test_network ? Listener::Caps{limit::kPendingIncoming, limit::kPendingIncoming} : Listener::Caps{}),
      connections(settings.connections),
      listening_ports(listener.ports()),
      announced_ports(listening_ports),
      neighbours(parts.clock, listener.local(), InterfaceBinding(settings.interface)),
      filter(parts.executor, parts.clock, parts.workers, settings.ip_filter, [this] { filter_changed(); }),
      context{parts.executor,
              parts.clock,
              parts.workers,
              parts.store,
              resolver,
              network.connector(),
              Announcer::Network{parts.executor, parts.clock, http, resolver, network.udp(), settings.test_network, &tracker_clients},
              settings,
              up_limit,
              down_limit,
              connections,
              metadata_budget,
              listening_ports,
              announced_ports,
              external,
              statistics,
              [this](Endpoint const& endpoint) { return is_our_own(endpoint); },
              [this](Address const& address) { return is_neighbour(address); }},
      left(parts.executor),
      tasks(parts.executor, "session") {
    up_limit.set_limit(settings.up_limit);
    down_limit.set_limit(settings.down_limit);
    context.filter = &filter;
    if (settings.anonymous) http.hide_program();
}

Torrent& Session::State::find(InfoHash const& info_hash) const {
    auto const found = torrents.find(info_hash);
    if (found == torrents.end()) throw_error(Errc::not_found, "there is no torrent " + info_hash.hex());
    return *found->second;
}

bool Session::State::is_our_own(Endpoint const& endpoint) const {
    bool const v6 = endpoint.address.is_v6();
    bool const our_port = endpoint.port == announced_ports[v6] || endpoint.port == listening_ports[v6];
    if (our_port && external.is_ours(endpoint.address)) return true;
    auto const local = listener.local();
    return std::find(local.begin(), local.end(), endpoint) != local.end();
}

bool Session::State::is_neighbour(Address const& address) {
    if (is_link_local_or_loopback(address)) return true;
    return lan ? lan->is_neighbour(address) : neighbours.contains(address);
}

void Session::State::open_lan() {
    if (!settings.lsd || settings.anonymous || network.multicast() == nullptr) return;  // it tells the local network what we have
    lan = std::make_unique<LocalDiscovery>(parts.executor, parts.clock, *network.multicast(), listening_ports);
    context.lan = lan.get();
}

void Session::State::filter_changed() {
    for (auto const& [info_hash, torrent] : torrents) torrent->settings_changed();
}

void Session::State::metadata_arrived(Torrent& torrent) {
    if (observer != nullptr) observer->metadata_arrived(torrent.info_hash());
}

void Session::State::peer_says_we_are(Address address, Endpoint const& peer) {
    if (!may_be_our_own(address, settings.test_network)) return;
    if (external.peer_says(address, peer.address, parts.clock.now())) external_address_changed(address);
}

void Session::State::tracker_says_we_are(Address address, Address const& tracker, bool users) {
    if (!may_be_our_own(address, settings.test_network)) return;
    if (!users && resolver.stands_for_name(tracker)) return;  // one server may have many names
    auto const now = parts.clock.now();
    // Who puts a tracker into a magnet link or a torrent is a stranger like any peer.
    bool const changed = users ? external.tracker_says(address, tracker, now) : external.peer_says(address, tracker, now);
    if (changed) external_address_changed(address);
}

void Session::State::external_address_changed(Address const& address) {
    // The vote that tips the scales may be for another address than the one that wins.
    auto const& winner = address.is_v6() ? external.v6() : external.v4();
    for (auto const& [info_hash, torrent] : torrents) torrent->set_external(*winner);
    if (dht) dht->external_address(*winner);
    log().debug("external address={}", winner->text());
}

void Session::State::incoming(std::unique_ptr<StreamSocket> socket, Listener::Pending pending) {
    if (stopping) return;
    if (filter.refuses(socket->remote().address)) return filter.count_refused();
    tasks.spawn(shake_hands(std::move(socket), std::move(pending)));
}

asio::awaitable<void> Session::State::shake_hands(std::unique_ptr<StreamSocket> socket, Listener::Pending pending) {
    auto const keep_counting = std::move(pending);
    FindTorrent const offer = [this](InfoHash const& info_hash) -> std::optional<Handshake> {
        auto const found = torrents.find(info_hash);
        if (found == torrents.end() || !found->second->accepts_peers()) return std::nullopt;
        Handshake ours;
        ours.info_hash = info_hash;
        ours.peer_id = found->second->peer_id();
        ours.extensions = ours.fast = true;
        ours.dht = found->second->connections().serves_dht();
        return ours;
    };
    try {
        auto const theirs = co_await shake_hands_incoming(parts.clock, *socket, offer);
        auto const found = torrents.find(theirs.info_hash);
        if (found == torrents.end()) co_return;
        // A neighbour needs no port that the world reaches.
        auto const from = socket->remote().address;
        incoming_seen = incoming_seen || settings.test_network || !(is_local(from) || is_neighbour(from));
        found->second->adopt_incoming(std::move(socket), theirs);
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        log().debug("incoming connection refused peer={} error={}", socket ? socket->remote().text() : "", sentence(e));
    }
}

Session::Session(Parts parts, Settings settings) : state_(std::make_unique<State>(parts, std::move(settings))) {}

Session::~Session() { assert(state_->torrents.empty() && "Session destroyed with torrents: stop() it first"); }

asio::awaitable<void> Session::start() {
    auto& s = *state_;
    co_await s.filter.load();
    auto records = co_await s.parts.store.load();
    co_await s.open_dht();
    s.open_lan();
    for (bool const v6 : {false, true}) s.open_port_mapping(v6);
    for (auto& record : records) {
        auto const info_hash = record.info_hash;
        auto torrent = std::make_unique<Torrent>(s.context, std::move(record), s);
        torrent->start();
        if (s.torrents.emplace(info_hash, std::move(torrent)).second) s.order.push_back(info_hash);
    }
    s.network.start();
    s.start_dht();
    if (s.lan) s.lan->start();
    s.listener.start();
    s.filter.start();
    for (auto const& mapping : s.port_mappings)
        if (mapping) mapping->start();
    for (auto const& endpoint : s.listener.local()) log().info("listening address={}", endpoint.text());
    if (s.proxied) log().info("everything goes through the proxy proxy={}", s.proxied->proxy().text());
}

asio::awaitable<void> Session::State::stop_part(asio::awaitable<void> part, std::size_t& running) {
    struct Done {
        std::size_t& running;
        Event& left;
        ~Done() {
            --running;
            left.notify();
        }
    } const done{running, left};
    co_await std::move(part);
}

asio::awaitable<void> Session::stop() {
    auto& s = *state_;
    s.stopping = true;
    co_await s.listener.stop();
    co_await s.filter.stop();
    co_await s.tasks.stop();
    TaskGroup stopping(s.parts.executor, "stopping torrents");
    std::size_t running = s.torrents.size();
    for (auto const& mapping : s.port_mappings) {
        if (!mapping) continue;
        ++running;
        stopping.spawn(s.stop_part(mapping->stop(), running));
    }
    for (auto const& [info_hash, torrent] : s.torrents)
        stopping.spawn(s.stop_part(torrent->stop(Errc::stopping), running));
    while (running > 0 || !s.leaving.empty()) co_await s.left.wait();
    co_await stopping.stop();
    s.torrents.clear();
    s.order.clear();
    if (s.lan) co_await s.lan->stop();
    co_await s.close_dht();
    co_await s.network.stop();
}

std::vector<std::string> Session::apply(Settings const& fresh) {
    auto& s = *state_;
    std::vector<std::string> need_restart;
    auto kept = fresh;
    auto const keep = [&](auto Settings::*setting, char const* name) {
        if (fresh.*setting != s.settings.*setting) need_restart.emplace_back(name);
        kept.*setting = s.settings.*setting;
    };
    keep(&Settings::listen, "network.listen");
    keep(&Settings::interface, "network.interface");
    keep(&Settings::dns, "network.dns");
    keep(&Settings::proxy, "network.proxy");
    keep(&Settings::test_network, "network.test_network");
    keep(&Settings::lsd, "network.lsd");
    keep(&Settings::anonymous, "network.anonymous");
    keep(&Settings::port_mapping, "network.port_mapping");
    keep(&Settings::dht, "network.dht");
    keep(&Settings::dht_routers, "network.dht_routers");
    keep(&Settings::dht_read_only, "network.dht_read_only");
    s.settings = std::move(kept);
    s.up_limit.set_limit(s.settings.up_limit);
    s.down_limit.set_limit(s.settings.down_limit);
    s.connections.set_limit(s.settings.connections);
    s.filter.set_files(s.settings.ip_filter);
    for (auto const& [info_hash, torrent] : s.torrents) torrent->settings_changed();
    return need_restart;
}

// Library

void Session::observe(Library::Observer* observer) { state_->observer = observer; }

namespace {

Library::Entry entry_of(Torrent const& torrent) {
    auto const& record = torrent.record();
    return {record.info_hash, record.display_name, torrent.metainfo(), record.directory, record.created.value_or(record.added)};
}

}  // namespace

std::vector<Library::Entry> Session::entries() const {
    std::vector<Entry> all;
    for (auto const& info_hash : state_->order) all.push_back(entry_of(*state_->torrents.at(info_hash)));
    return all;
}

std::optional<Library::Entry> Session::entry(InfoHash const& info_hash) const {
    auto const found = state_->torrents.find(info_hash);
    return found == state_->torrents.end() ? std::nullopt : std::optional(entry_of(*found->second));
}

void Session::remember_directory(InfoHash const& info_hash, std::string directory) {
    state_->find(info_hash).remember_directory(std::move(directory));
}

TorrentState Session::state(InfoHash const& info_hash) const { return state_->find(info_hash).state(); }
double Session::progress(InfoHash const& info_hash) const { return state_->find(info_hash).progress(); }

std::uint64_t Session::stored_bytes(InfoHash const& info_hash, FileIndex file) const {
    return state_->find(info_hash).stored_bytes(file);
}

DiskSpace Session::space() const { return state_->parts.store.space(); }

std::unique_ptr<Stream> Session::open(InfoHash const& info_hash, FileIndex file, ReaderProgram program) {
    return state_->find(info_hash).open(file, program);
}

}  // namespace rqfs::torrent
