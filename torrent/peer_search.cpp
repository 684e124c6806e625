#include "torrent/peer_search.h"

#include "torrent/error.h"
#include "torrent/link_scope.h"
#include "torrent/net/address_policy.h"
#include "torrent/net/resolver.h"
#include "torrent/settings.h"
#include "torrent/store.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

// How many peers are remembered over a restart: libtorrent saves 100 too.
constexpr std::size_t kSavedPeers = 100;

constexpr char const* kNoNodeAnswers = "no node of the DHT answers";

}  // namespace

PeerSearch::PeerSearch(SessionContext& session, InfoHash const& info_hash,
                       std::shared_ptr<spdlog::logger> const& logger, Connections& connections)
    : session_(session), info_hash_(info_hash), logger_(logger), connections_(connections) {}

void PeerSearch::start(std::vector<std::string> const& user_peers, std::vector<std::string> const& magnet_peers,
                       Need need) {
    tasks_ = std::make_unique<TaskGroup>(session_.executor, "peer search of " + info_hash_.short_hex());
    is_private_ = need.is_private;
    for (auto const& peer : user_peers) dial_named_peer(peer, AddressSource::user);
    for (auto const& peer : magnet_peers) dial_named_peer(peer, AddressSource::magnet);
    tasks_->spawn(load());
    if (session_.lan != nullptr && !is_private_) search_lan();
    if (session_.dht != nullptr && !is_private_) search_dht();
    update(need);
}

asio::awaitable<void> PeerSearch::stop() {
    lan_search_.reset();
    dht_search_.reset();
    if (tasks_) co_await tasks_->stop();
    tasks_.reset();
}

void PeerSearch::search_dht() {
    dht_search_ = session_.dht->find_peers(info_hash_, [this](std::vector<Endpoint> const& peers) {
        logger_->debug("DHT gave peers torrent={} peers={}", info_hash_.short_hex(), peers.size());
        connections_.add_addresses(peers, AddressSource::dht);
        connections_.tick();
    });
}

void PeerSearch::search_lan() {
    lan_search_ = session_.lan->find_peers(info_hash_, [this](Endpoint const& peer) {
        connections_.add_addresses(std::vector<Endpoint>(1, peer), AddressSource::lsd);
        connections_.tick();
    });
}

void PeerSearch::update(Need need) {
    is_private_ = need.is_private;
    if (is_private_) lan_search_.reset();
    if (is_private_) dht_search_.reset();
    // The local network is told once each time somebody begins to wait.
    bool const begins = need.hurried && !hurried_;
    hurried_ = need.hurried;
    if (begins && lan_search_) lan_search_->hurry();
    if (!dht_search_) return;
    dht_search_->announce(session_.announced_ports, need.complete);
    // As many as an idle torrent keeps are enough not to trouble the DHT out of turn.
    if (need.hurried && connections_.connected() < limit::kIdleTorrentConnections) dht_search_->hurry();
}

bool PeerSearch::search_now() {
    if (dht_search_) dht_search_->hurry();
    return dht_search_ != nullptr && session_.trackers.udp.obstacle().empty();
}

std::string PeerSearch::dht_state() const {
    if (!dht_search_) return {};
    if (auto const obstacle = session_.trackers.udp.obstacle(); !obstacle.empty())
        return "the DHT is not reached: " + obstacle;
    auto const progress = dht_search_->progress();
    if (!progress.nodes_known) return "no node of the DHT is known yet";
    bool const now = progress.searching || !progress.next;
    if (now && progress.unanswered) return std::string(kNoNodeAnswers) + ", it is being asked again";
    if (now) return "searching the DHT";
    auto const seconds = std::chrono::ceil<std::chrono::seconds>(*progress.next).count();
    return std::string(progress.unanswered ? kNoNodeAnswers : "the DHT knows none that answers") +
           ", it is asked again in " + std::to_string(seconds) + " s";
}

std::optional<TrackerStatus> PeerSearch::dht_status() const {
    if (!dht_search_) return std::nullopt;
    auto const progress = dht_search_->progress();
    TrackerStatus status;
    status.url = "DHT";
    status.state = !progress.nodes_known ? "not contacted"
                   : progress.searching  ? "announcing"
                   : progress.unanswered ? "failed"
                                         : "working";
    if (progress.nodes_known && progress.unanswered) status.message = kNoNodeAnswers;
    status.peers = static_cast<std::uint32_t>(progress.peers);
    if (auto const obstacle = session_.trackers.udp.obstacle(); !obstacle.empty()) {
        status.state = "failed";
        status.message = "it is not reached: " + obstacle;
        return status;
    }
    if (progress.next) status.next_announce = std::chrono::ceil<std::chrono::seconds>(*progress.next);
    return status;
}

void PeerSearch::dial_named_peer(std::string host_port, AddressSource source) {
    if (tasks_) tasks_->spawn(resolve_named_peer(std::move(host_port), source));
}

asio::awaitable<void> PeerSearch::resolve_named_peer(std::string host_port, AddressSource source) {
    auto const colon = host_port.rfind(':');
    auto host = host_port.substr(0, colon);
    auto const endpoint =
        Endpoint::parse("0.0.0.0" + (colon == std::string::npos ? std::string(":") : host_port.substr(colon)));
    if (!endpoint || endpoint->port == 0) co_return;
    if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    try {
        auto const addresses = co_await session_.resolver.resolve(std::move(host));
        std::vector<Endpoint> endpoints;
        for (auto const& address : addresses) endpoints.push_back({address, endpoint->port});
        auto const may_dial = [&](Endpoint const& each) { return session_.may_dial(each, source); };
        if (std::none_of(endpoints.begin(), endpoints.end(), may_dial))
            logger_->warn("a peer is named whose address is not to be dialled torrent={} peer={}",
                          info_hash_.short_hex(), host_port);
        connections_.add_addresses(endpoints, source);
        connections_.tick();
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        logger_->warn("peer not found torrent={} peer={} error={}", info_hash_.short_hex(), host_port, sentence(e));
    }
}

asio::awaitable<void> PeerSearch::load() {
    if (is_private_) co_return;  // their peers come from the tracker each time (BEP 27)
    try {
        auto const peers = co_await session_.store.load_peers(info_hash_);
        connections_.add_addresses(peers, AddressSource::resume);
        connections_.tick();
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        logger_->debug("peers not loaded torrent={} error={}", info_hash_.short_hex(), e.what());
    }
}

asio::awaitable<void> PeerSearch::save() {
    std::vector<Endpoint> saved;
    // The next run may be on another link, and its interfaces have other numbers.
    for (auto const& peer : connections_.known().best(kSavedPeers))
        if (!is_link_local_v6(peer.endpoint.address)) saved.push_back(peer.endpoint);
    return store(std::move(saved));
}

void PeerSearch::save_in_background() {
    if (tasks_) tasks_->spawn(save());
}

asio::awaitable<void> PeerSearch::store(std::vector<Endpoint> peers) {
    if (peers.empty()) co_return;
    try {
        co_await session_.store.save_peers(info_hash_, std::move(peers));
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        logger_->debug("peers not saved torrent={} error={}", info_hash_.short_hex(), e.what());
    }
}

}  // namespace rqfs::torrent
