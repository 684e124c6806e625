#include "torrent/connections.h"

#include "torrent/address_filter.h"
#include "torrent/download.h"
#include "torrent/local_discovery.h"
#include "torrent/metadata_fetch.h"
#include "torrent/net/address_policy.h"
#include "torrent/net/happy_eyeballs.h"
#include "torrent/net/proxy_error.h"
#include "torrent/peer/handshake_exchange.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// Peers that left but may yet be shown to have sent bad data; as many as a torrent has connections, several times over.
constexpr std::size_t kDeparted = 512;

// Somebody waits and nobody is connected: every address is tried again, back-off or not; the network may be back.
constexpr std::chrono::seconds kRescue{5};

PeerSource source_bit(AddressSource source) {
    switch (source) {
        case AddressSource::user:
        case AddressSource::magnet: return PeerSource::user;  // dialled with the same patience
        case AddressSource::resume: return PeerSource::resume;
        case AddressSource::tracker: return PeerSource::tracker;
        case AddressSource::incoming: return PeerSource::incoming;
        case AddressSource::pex: return PeerSource::pex;
        case AddressSource::dht: return PeerSource::dht;
        case AddressSource::lsd: return PeerSource::lsd;
    }
    return PeerSource::tracker;
}

// What ends sooner and brought nothing was no connection: no room for us, or the wrong one.
constexpr std::chrono::seconds kHangUp{10};

bool hung_up_on_us(ConnectedPeer const& peer, TimePoint now) {
    auto const& connection = *peer.connection;
    return !connection.incoming() && !peer.needless && !peer.replaced && now - connection.connected_since() < kHangUp &&
           connection.downloaded_bytes() + connection.uploaded_bytes() == 0;
}

constexpr char const* kNotKept = "it was reached but not kept: it is connected already, or all places are taken";

// Who may name peers of a private torrent (BEP 27).
constexpr std::array kPrivateSources{PeerSource::tracker, PeerSource::user};

bool of_private(PeerSource source) {
    return std::find(kPrivateSources.begin(), kPrivateSources.end(), source) != kPrivateSources.end();
}

PeerList::Options list_options(SessionContext const& session) {
    PeerList::Options options;
    if (session.settings.test_network) options.per_network_and_source = 0;
    fill_random(std::as_writable_bytes(std::span(&options.seed, 1)));
    return options;
}

std::uint64_t random_seed() {
    std::uint64_t seed = 0;
    fill_random(std::as_writable_bytes(std::span(&seed, 1)));
    return seed;
}

}  // namespace

Connections::Connections(SessionContext& session, InfoHash const& info_hash, std::shared_ptr<spdlog::logger> logger, Owner& owner)
    : session_(session),
      info_hash_(info_hash),
      logger_(std::move(logger)),
      owner_(owner),
      peer_id_(make_peer_id(session.settings.anonymous)),
      known_(list_options(session)),
      choker_(random_seed()),
      up_limit_(&session.up_limit),
      down_limit_(&session.down_limit) {
    if (auto const& address = session_.external.v4()) set_external(*address);
    if (auto const& address = session_.external.v6()) set_external(*address);
}

Connections::~Connections() { assert(peers_.empty() && "Connections destroyed with peers: stop() them first"); }

void Connections::start() {
    running_ = true;
    tasks_ = std::make_unique<TaskGroup>(session_.executor, "peers of " + info_hash_.short_hex());
    known_.retry_all(session_.clock.now());
}

asio::awaitable<void> Connections::stop() {
    running_ = false;
    for (auto& [handle, peer] : peers_) peer.connection->close("the torrent was paused or is going away");
    if (tasks_) co_await tasks_->stop();
    while (!peers_.empty()) forget(peers_.begin()->first);  // those whose run() never began
    tasks_.reset();
}

void Connections::add_addresses(std::vector<Endpoint> const& endpoints, AddressSource source) {
    auto const now = session_.clock.now();
    for (auto const& endpoint : endpoints) {
        if (session_.may_dial(endpoint, source))
            known_.add(endpoint, source_bit(source), now);
        else if (!session_.is_our_own(endpoint))
            known_.turned_away(session_.refuses(endpoint.address));
    }
}

void Connections::set_external(Address const& address) { known_.set_external({address, session_.announced_ports[address.is_v6()]}); }

void Connections::become_private() {
    known_.keep_only(kPrivateSources);
    for (auto& [handle, peer] : peers_)
        if (!of_private(peer.source)) peer.connection->close("a private torrent's peers come from its tracker");
}

// BEP 27: whoever goes to another tracker leaves all peers. Which tracker named whom is not remembered, nor who sent
// those that came to us.
void Connections::trackers_changed() {
    for (auto& [handle, peer] : peers_) {
        auto const* const listed = known_.find(peer.listed);
        if (listed != nullptr && listed->user()) continue;
        known_.forget(peer.listed);
        peer.connection->close("a private torrent's trackers are others now");
    }
    constexpr std::array kUser{PeerSource::user};
    known_.keep_only(kUser);
}

std::size_t Connections::target() const {
    return owner_.active() ? session_.settings.connections_per_torrent : limit::kIdleTorrentConnections;
}

void Connections::dial_more() {
    auto const now = session_.clock.now();
    auto const* const download = owner_.download();
    bool const seeding = download != nullptr && download->complete();
    while (running_ && peers_.size() + dialling_ < target() && dialling_ < limit::kHalfOpenPerTorrent && session_.connections.may_dial(now, owner_.hurried())) {
        // Torrents that nobody uses leave half of all connections to those that somebody does.
        if (!owner_.active() && session_.connections.connected() * 2 >= session_.connections.limit()) return;
        auto const endpoint = known_.next(seeding, now);
        if (!endpoint) {
            if (owner_.active() && peers_.empty() && dialling_ == 0) owner_.peers_ran_out();
            return;
        }
        auto const source = main_source(known_.find(*endpoint)->sources);
        auto const twin = known_.find(*endpoint)->twin;
        std::vector<Endpoint> endpoints{*endpoint};
        if (twin && known_.find(*twin)->state == KnownPeer::State::dialling) endpoints.push_back(*twin);
        for (auto const& each : endpoints)
            if (session_.refuses(each.address)) known_.forget(each);  // a list has changed since it was learnt
        std::erase_if(endpoints, [&](Endpoint const& each) { return known_.find(each) == nullptr; });
        if (endpoints.empty()) continue;
        if (is_one_too_many(endpoint->address) && !known_.find(*endpoint)->user()) {
            for (auto const& each : endpoints) known_.postponed(each, now);
            continue;
        }
        ++dialling_;
        tasks_->spawn(dial(std::move(endpoints), source, session_.connections.take_dial(now)));
    }
}

// Several endpoints are addresses of one peer.
asio::awaitable<void> Connections::dial(std::vector<Endpoint> endpoints, PeerSource source, ConnectionBudget::Slot slot) {
    struct Count {
        std::size_t& dialling;
        ~Count() { --dialling; }
    } const count{dialling_};
    void (PeerList::*verdict)(Endpoint const&, TimePoint) = nullptr;
    try {
        auto dialling = connect_to_any(session_.clock, session_.connector, endpoints, limit::kConnectTimeout);
        auto socket = co_await std::move(dialling);
        if (socket->remote() == endpoints.back()) std::swap(endpoints.front(), endpoints.back());
        for (; endpoints.size() > 1; endpoints.pop_back()) known_.abandoned(endpoints.back());
        Handshake ours;
        ours.info_hash = info_hash_;
        ours.peer_id = peer_id_;
        ours.extensions = ours.fast = true;
        ours.dht = serves_dht();
        auto const theirs = co_await shake_hands_outgoing(session_.clock, *socket, ours);
        slot = ConnectionBudget::Slot();
        auto const& reached = endpoints.front();
        if (adopt(std::move(socket), theirs, reached, source, false)) co_return;
        known_.disconnected(reached, true, session_.clock.now());
        if (source == PeerSource::user) session_.failed_dials.failed(info_hash_, reached, kNotKept);
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::operation_aborted) {
            for (auto const& endpoint : endpoints) known_.abandoned(endpoint);
            throw;
        }
        logger_->debug("peer not reached torrent={} peer={} error={}", info_hash_.short_hex(), endpoints.front().text(), sentence(e));
        if (source == PeerSource::user) session_.failed_dials.failed(info_hash_, endpoints.front(), sentence(e));
        if (e.code() == asio::error::network_down)  // ours, not the peers'
            for (auto const& endpoint : endpoints) known_.abandoned(endpoint);
        else
            verdict = e.code() == Errc::not_allowed     ? &PeerList::give_up  // ourselves
                      : is_trouble_with_proxy(e.code()) ? &PeerList::postponed
                                                        : &PeerList::failed;
    }
    for (auto const& endpoint : endpoints)
        if (verdict != nullptr) (known_.*verdict)(endpoint, session_.clock.now());
}

bool Connections::adopt(std::unique_ptr<StreamSocket> socket, Handshake const& theirs, Endpoint listed, PeerSource source, bool incoming) {
    if (!incoming && owner_.is_private() && !of_private(source)) return false;  // dialled before that was known
    if (!admits(*socket, theirs, listed, incoming)) return false;
    auto const handle = next_handle_;
    ++next_handle_;
    PeerConnection::Options options;
    options.handle = handle;
    options.info_hash = info_hash_;
    options.incoming = incoming;
    if (serves_dht()) options.dht_port = session_.port_for(socket->remote().address);
    if (auto const* const download = owner_.download()) {
        options.layout = download->metainfo().pieces();
        options.have = download->have();
    }
    options.extensions = our_extensions(socket->remote());
    bool const neighbour = session_.lan != nullptr && session_.lan->is_neighbour(socket->remote().address);
    bool const unlimited = neighbour && !session_.settings.limit_lan;
    options.upload_limit = unlimited ? &no_limit_ : &up_limit_;
    options.download_limit = unlimited ? &no_limit_ : &down_limit_;
    options.logger = peer_loggers_.of(listed, socket->remote(), logger_);
    ConnectedPeer peer;
    peer.listed = listed;
    peer.source = source;
    peer.slot = session_.connections.take_connection();
    PeerConnection::Owner& self = *this;  // a private base, which make_unique cannot convert to
    peer.connection = std::make_unique<PeerConnection>(session_.executor, session_.clock, std::move(socket), theirs, std::move(options), self);
    known_.connected(listed, session_.clock.now());
    session_.failed_dials.forget(info_hash_, listed);
    auto& stored = peers_.emplace(handle, std::move(peer)).first->second;
    if (owner_.download() != nullptr) join_picker(stored);
    tasks_->spawn(run_peer(handle));
    logger_->debug("peer connected torrent={} peer={} client=\"{}\" incoming={}", info_hash_.short_hex(), listed.text(),
                   client_name(theirs.peer_id), incoming);
    return true;
}

asio::awaitable<void> Connections::run_peer(PeerHandle handle) {
    struct Leave {
        Connections& connections;
        PeerHandle handle;
        ~Leave() { connections.forget(handle); }
    } const leave{*this, handle};
    co_await peers_.at(handle).connection->run();
}

void Connections::forget(PeerHandle handle) {
    auto const found = peers_.find(handle);
    if (found == peers_.end()) return;
    auto const now = session_.clock.now();
    auto const connected = std::move(found->second);
    peers_.erase(found);
    exchange_.left(handle);
    holepunch_.left(handle);
    auto const& connection = *connected.connection;
    logger_->debug("peer left torrent={} peer={} reason=\"{}\"", info_hash_.short_hex(), connected.listed.text(), connection.reason());
    uploaded_before_ += connection.uploaded_bytes();
    known_.set_giver(connected.listed, connection.downloaded_bytes() > 0);
    if (connected.source == PeerSource::user && !connection.incoming())
        session_.failed_dials.failed(info_hash_, connected.listed,
                                     "it was connected but has left: " + connection.reason());
    if (running_ && hung_up_on_us(connected, now))
        known_.hung_up(connected.listed, now);
    else
        known_.disconnected(connected.listed, connection.downloaded_bytes() + connection.uploaded_bytes() > 0 || !connection.incoming(), now);
    if (connected.needless) known_.retry(connected.listed, now);
    if (connected.replaced) known_.set_aside(connected.listed, now);
    if (owner_.is_private() && !of_private(connected.source)) known_.keep_only(kPrivateSources);
    departed_.emplace(handle, connection.remote().address);
    if (departed_.size() > kDeparted) departed_.erase(departed_.begin());
    if (auto* const download = owner_.download(); download != nullptr && connected.in_picker) download->peer_left(handle);
    if (auto* const fetch = owner_.metadata_fetch()) fetch->peer_left(handle);
    if (running_) dial_more();
}

void Connections::tick() {
    if (!running_) return;
    auto const now = session_.clock.now();
    if (std::exchange(interest_dirty_, false))
        for (auto& [handle, peer] : peers_)
            if (peer.in_picker) update_interest(*peer.connection);
    if (owner_.hurried() && peers_.empty() && dialling_ == 0 && now >= next_rescue_) {
        next_rescue_ = now + kRescue;
        known_.retry_all(now, true);
    }
    dial_more();
    exchange_peers(now);
    if (choker_.is_due(now)) rechoke();
    turn_over(now);
}

PeerConnection* Connections::find(PeerHandle handle) {
    auto const found = peers_.find(handle);
    return found == peers_.end() ? nullptr : found->second.connection.get();
}

void Connections::ban(PeerHandle handle, std::string const& why) {
    auto* const connection = find(handle);
    auto const departed = departed_.find(handle);
    if (connection == nullptr && departed == departed_.end()) return;
    auto const address = connection != nullptr ? connection->remote().address : departed->second;
    logger_->debug("peer banned torrent={} address={} reason=\"{}\"", info_hash_.short_hex(), address.text(), why);
    if (!session_.settings.test_network)
        known_.ban(address);
    else if (connection != nullptr)
        known_.give_up(peers_.at(handle).listed, session_.clock.now());  // a laboratory's peers share an address
    if (connection != nullptr) connection->close(why);
}

}  // namespace rqfs::torrent
