// What the user tells the session: the Control half.
#include "torrent/add_source.h"
#include "torrent/log.h"
#include "torrent/net/url.h"
#include "torrent/session_state.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

std::chrono::sys_seconds today(Clock const& clock) { return std::chrono::floor<std::chrono::seconds>(clock.wall_now()); }

}  // namespace

asio::awaitable<Added> Session::add(std::string magnet_or_url, AddOptions options) {
    auto& s = *state_;
    if (magnet_or_url.starts_with("magnet:")) {
        auto record = record_of_magnet(magnet_or_url, today(s.parts.clock));
        if (!record) throw_error(record.error());
        co_return co_await s.add(std::move(*record), options);
    }
    auto record = co_await s.fetch(std::move(magnet_or_url));
    co_return co_await s.add(std::move(record), options);
}

asio::awaitable<Added> Session::add(std::vector<std::byte> torrent_file, AddOptions options) {
    auto record = record_of_torrent_file(torrent_file, today(state_->parts.clock));
    if (!record) throw_error(record.error());
    co_return co_await state_->add(std::move(*record), options);
}

asio::awaitable<TorrentRecord> Session::State::fetch(std::string text) {
    auto url = Url::parse(text);
    if (!url) throw_error(url.error().code, "'" + text + "' is neither a magnet link nor the URL of a torrent file: " + url.error().what);
    if (url->scheme != "http" && url->scheme != "https") throw_error(Errc::unsupported, "only magnet, http and https can be added, not " + url->scheme);
    HttpClient::Request request;
    request.url = *url;
    request.max_body_bytes = limit::kTorrentFileBytes;
    request.time = limit::kTrackerTime;
    request.trusted = true;
    auto const response = co_await http.get(std::move(request));
    if (response.status != 200) throw_error(Errc::refused, url->text() + " answers with status " + std::to_string(response.status));
    auto record = record_of_torrent_file(response.body, today(parts.clock));
    if (!record) throw_error(record.error().code, url->text() + ": " + record.error().what);
    co_return std::move(*record);
}

asio::awaitable<Added> Session::State::add(TorrentRecord record, AddOptions options) {
    auto const info_hash = record.info_hash;
    while (leaving.contains(info_hash)) co_await left.wait();
    if (stopping) throw_error(Errc::stopping, "the daemon is stopping");
    Added added;
    added.info_hash = info_hash;
    if (auto const found = torrents.find(info_hash); found != torrents.end()) {
        added.was_there = true;
        co_await found->second->merge(record);
        if (options.download) co_await find(info_hash).want(std::move(record.selected_files));
        co_return added;
    }
    record.paused = options.paused;
    record.download = options.download;
    if (options.download) record.wanted_files = record.selected_files;
    auto& torrent = *torrents.emplace(info_hash, std::make_unique<Torrent>(context, std::move(record), *this)).first->second;
    order.push_back(info_hash);
    torrent.start();
    // Visible only once it is durable: what was printed is there after a crash.
    std::optional<Error> unsaved;
    try {
        co_await torrent.keep();
    } catch (boost::system::system_error const& e) {
        unsaved = error(Errc::io, "the torrent cannot be remembered: " + sentence(e));
    }
    if (unsaved) {
        if (torrents.contains(info_hash)) co_await drop(info_hash, true);
        throw_error(*unsaved);
    }
    if (observer != nullptr) observer->torrent_added(info_hash);
    log().info("torrent added torrent={} metadata={}", info_hash.short_hex(), torrent.metainfo() != nullptr);
    co_return added;
}

asio::awaitable<void> Session::State::drop(InfoHash info_hash, bool keep_data) {
    auto const torrent = std::move(torrents.extract(info_hash).mapped());
    std::erase(order, info_hash);
    struct Leaving {
        State& state;
        InfoHash info_hash;
        ~Leaving() {
            state.leaving.erase(info_hash);
            state.left.notify();
        }
    } const departure{*this, *leaving.insert(info_hash).first};
    co_await torrent->stop(Errc::removed);
    context.failed_dials.forget(info_hash);
    co_await parts.store.forget(info_hash, keep_data);
}

asio::awaitable<void> Session::remove(InfoHash info_hash, bool keep_data) {
    auto& s = *state_;
    s.find(info_hash);
    if (s.observer != nullptr) s.observer->torrent_removed(info_hash);
    co_await s.drop(info_hash, keep_data);
    log().info("torrent removed torrent={} data_kept={}", info_hash.short_hex(), keep_data);
}

SessionStatus Session::status() const {
    auto const& s = *state_;
    auto const now = s.parts.clock.now();
    SessionStatus status;
    status.torrents = static_cast<std::uint32_t>(s.torrents.size());
    for (auto const& [info_hash, torrent] : s.torrents) {
        status.peers += static_cast<std::uint32_t>(torrent->connections().connected());
        status.down_rate += torrent->connections().download_rate(now);
        status.up_rate += torrent->connections().upload_rate(now);
    }
    status.down_limit = s.down_limit.limit();
    status.up_limit = s.up_limit.limit();
    status.listening = s.listener.local();
    status.incoming_seen = s.incoming_seen;
    if (s.system_network) status.interface = s.system_network->interface_status();
    status.port_mapping = s.port_mapping_status(false);
    status.pinhole = s.port_mapping_status(true);
    if (s.proxied) status.proxy = s.proxied->proxy().text();
    status.disk_free_bytes = s.parts.store.space().free_bytes;
    status.ip_filter = s.filter.status();
    return status;
}

Statistics Session::statistics() const {
    auto statistics = state_->statistics;
    for (auto const& [info_hash, torrent] : state_->torrents)
        statistics.unread_read_ahead_bytes += torrent->unread_read_ahead_bytes();
    return statistics;
}

std::string Session::State::obstacle() const {
    if (system_network) {
        auto const interface = system_network->interface_status();
        if (!interface.trouble.empty()) return interface.trouble;
    }
    if (!proxied || proxied->trouble().empty()) return {};
    return "nothing is sent but to the proxy, and that is in trouble: " + proxied->trouble();
}

namespace {

// In place of what a torrent says of its peers and trackers, which only follows from it.
void put_first(std::string const& obstacle, TorrentState state, std::string& reason) {
    bool const by_itself =
        state == TorrentState::paused || state == TorrentState::error || state == TorrentState::checking;
    if (!obstacle.empty() && !by_itself) reason = obstacle;
}

}  // namespace

std::vector<TorrentStatus> Session::torrents() const {
    auto const obstacle = state_->obstacle();
    std::vector<TorrentStatus> all;
    for (auto const& info_hash : state_->order) {
        all.push_back(state_->torrents.at(info_hash)->status());
        put_first(obstacle, all.back().state, all.back().reason);
    }
    return all;
}

TorrentStatus Session::torrent(InfoHash info_hash) const {
    auto status = state_->find(info_hash).status();
    put_first(state_->obstacle(), status.state, status.reason);
    return status;
}

std::vector<TrackerStatus> Session::trackers(InfoHash info_hash) const {
    auto trackers = state_->find(info_hash).trackers();
    auto const obstacle = state_->obstacle();
    // No datagrams at all is more than nothing at the moment.
    if (obstacle.empty() || !state_->network.udp().obstacle().empty()) return trackers;
    for (auto& row : trackers) {
        // Trackers fail in their own words; a search of the DHT only finds nobody.
        if (row.url != "DHT") continue;
        row.state = "failed";
        row.message = "it is not reached: " + obstacle;
        row.next_announce.reset();
    }
    return trackers;
}

WhyStatus Session::why(InfoHash const& info_hash, FileIndex file) const {
    auto why = state_->find(info_hash).why(file);
    why.obstacle = state_->obstacle();
    put_first(why.obstacle, why.state, why.reason);
    return why;
}

std::vector<FileStatus> Session::files(InfoHash info_hash) const { return state_->find(info_hash).files(); }
std::vector<PeerStatus> Session::peers(InfoHash info_hash) const { return state_->find(info_hash).peers(); }
std::vector<UnreachedPeer> Session::unreached(InfoHash const& info_hash) const {
    state_->find(info_hash);
    return state_->context.failed_dials.of(info_hash);
}

std::string Session::obstacle() const { return state_->obstacle(); }

std::string Session::why_no_dht() const {
    if (state_->dht) return {};
    if (!state_->settings.dht) return "network.dht of the configuration says so";
    auto const obstacle = state_->network.udp().obstacle();
    return obstacle.empty() ? "there is no UDP socket" : obstacle;
}

std::vector<DhtStatus> Session::dht() const { return state_->dht ? state_->dht->status() : std::vector<DhtStatus>(); }
std::string Session::magnet(InfoHash info_hash) const { return state_->find(info_hash).magnet(); }

asio::awaitable<void> Session::pause(InfoHash info_hash) { co_await state_->find(info_hash).pause(); }
asio::awaitable<void> Session::resume(InfoHash info_hash) { co_await state_->find(info_hash).resume(); }

asio::awaitable<void> Session::download(InfoHash info_hash, std::vector<FileIndex> files) {
    co_await state_->find(info_hash).want(std::move(files));
}

void Session::verify(InfoHash info_hash, bool cancel) { state_->find(info_hash).verify(cancel); }

asio::awaitable<void> Session::connect(InfoHash info_hash, std::string host, std::uint16_t port) {
    state_->find(info_hash);
    if (port == 0) throw_error(Errc::malformed, "a peer's port is between 1 and 65535");
    auto const host_port = (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
    std::vector<Address> addresses;
    try {
        addresses = co_await state_->resolver.resolve(std::move(host));
    } catch (boost::system::system_error const& e) {
        auto const obstacle = state_->obstacle();
        if (e.code() == asio::error::operation_aborted || obstacle.empty()) throw;
        throw_error(Errc::failed, obstacle);
    }
    std::vector<Endpoint> endpoints;
    for (auto const& address : addresses)
        if (!state_->filter.refuses(address)) endpoints.push_back({address, port});
    if (endpoints.empty()) throw_error(Errc::not_allowed, "the IP filter (network.ip_filter) keeps us away from " + host_port);
    auto const& context = state_->context;
    auto const may_dial = [&](Endpoint const& each) { return context.may_dial(each, AddressSource::user); };
    if (std::none_of(endpoints.begin(), endpoints.end(), may_dial))
        throw_error(Errc::not_allowed, "at the address of " + host_port + " no peer can be");
    auto& torrent = state_->find(info_hash);  // it may be gone by now
    for (auto const& endpoint : endpoints) state_->context.failed_dials.forget(info_hash, endpoint);
    torrent.connect(endpoints, host_port);
}

asio::awaitable<std::string> Session::edit_trackers(InfoHash info_hash, TrackerEdit edit) {
    co_return co_await state_->find(info_hash).edit_trackers(std::move(edit));
}

// The DHT is searched as soon as it can be, but that it cannot now is no search.
AskedTrackers Session::announce(InfoHash const& info_hash, std::optional<std::string> const& tracker) {
    auto result = state_->find(info_hash).announce(tracker);
    auto const obstacle = state_->obstacle();
    if (!result.dht || obstacle.empty()) return result;
    result.dht = false;
    result.refused.push_back("the DHT: it is not reached: " + obstacle);
    if (result.asked.empty()) throw_error(Errc::busy, obstacle);
    return result;
}

void Session::scrape(InfoHash const& info_hash) { state_->find(info_hash).scrape(); }

void Session::limit(std::optional<std::uint64_t> up, std::optional<std::uint64_t> down) {
    if (up) state_->up_limit.set_limit(*up);
    if (down) state_->down_limit.set_limit(*down);
}

void Session::log_torrent(InfoHash info_hash, std::string level) { state_->find(info_hash).set_log_level(level); }

void Session::log_peer(Endpoint peer, std::string level) {
    bool found = false;
    for (auto const& [info_hash, torrent] : state_->torrents) found = torrent->set_peer_log_level(peer, level) || found;
    if (!found) throw_error(Errc::not_found, "no torrent knows a peer at " + peer.text());
}

}  // namespace rqfs::torrent
