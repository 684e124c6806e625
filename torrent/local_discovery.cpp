#include "torrent/local_discovery.h"

#include "torrent/hash.h"
#include "torrent/link_scope.h"
#include "torrent/log.h"
#include "torrent/net/lsd_message.h"
#include "torrent/timeout.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

// TR hears 10 in a second. Together no more than 50 in any five seconds, whoever floods us.
constexpr double kIncomingBurst = 10;
constexpr double kIncomingPerSecond = 8;

constexpr std::size_t kCookies = 64;  // neighbours that are remembered
constexpr std::chrono::milliseconds kOtherAddress{500};

// Nobody needs a new number while one session lasts.
std::string make_cookie() {
    constexpr std::uint64_t most = 10'000'000'000'000'000;  // LsdMessage has room for 16 characters
    std::uint64_t number = 0;
    fill_random(std::as_writable_bytes(std::span(&number, 1)));
    return std::to_string(number % most);
}

}  // namespace

LocalDiscovery::Search::Search(LocalDiscovery& discovery, InfoHash const& info_hash, OnPeer on_peer)
    : discovery_(discovery), info_hash_(info_hash), on_peer_(std::move(on_peer)) {}

LocalDiscovery::Search::~Search() {
    discovery_.searches_.erase(info_hash_);
    discovery_.schedule_.remove(info_hash_);
}

void LocalDiscovery::Search::hurry() {
    discovery_.schedule_.hurry(info_hash_);
    discovery_.schedule_changed_.notify();
}

LocalDiscovery::LocalDiscovery(asio::any_io_executor const& executor, Clock& clock, Multicast& multicast,
                               PerFamily<std::uint16_t> const& ports)
    : clock_(clock),
      multicast_(multicast),
      ports_(ports),
      cookie_(make_cookie()),
      incoming_(kIncomingPerSecond, kIncomingBurst),
      schedule_changed_(executor),
      tasks_(executor, "local discovery") {}

LocalDiscovery::~LocalDiscovery() { assert(searches_.empty() && "a torrent still searches"); }

void LocalDiscovery::start() {
    multicast_.join(LsdMessage::groups(), *this);
    tasks_.spawn(keep_announcing());
}

asio::awaitable<void> LocalDiscovery::stop() {
    multicast_.leave();
    return tasks_.stop();
}

std::unique_ptr<LocalDiscovery::Search> LocalDiscovery::find_peers(InfoHash const& info_hash, OnPeer on_peer) {
    std::unique_ptr<Search> search(new Search(*this, info_hash, std::move(on_peer)));
    searches_[info_hash] = search.get();
    schedule_.add(info_hash, clock_.now());
    schedule_changed_.notify();
    return search;
}

void LocalDiscovery::multicast(Endpoint const& from, std::span<std::byte const> bytes) {
    // Each of our own comes back from every interface, in both families: neighbours are heard all the same.
    std::string_view const text(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    if (text.find("cookie: " + cookie_ + "\r\n") != std::string_view::npos) return;
    if (!incoming_.try_take(1, clock_.now())) return;
    auto const message = LsdMessage::parse(bytes);
    if (!message || message->cookie == cookie_) return;
    Endpoint const peer{from.address, message->port};
    if (!is_link_local_v6(from.address)) {
        if (!message->cookie.empty()) heard(message->cookie);
        found(message->info_hashes, peer);
    } else {
        tasks_.spawn(found_by_link(message->cookie, message->info_hashes, peer));
    }
}

void LocalDiscovery::heard(std::string const& cookie) {
    std::erase(heard_, cookie);
    heard_.push_back(cookie);
    if (heard_.size() > kCookies) heard_.pop_front();
}

// It announces itself by its other addresses at the same time, if it has any: those are known to everybody, and one
// peer is dialled once.
asio::awaitable<void> LocalDiscovery::found_by_link(std::string cookie, std::vector<InfoHash> info_hashes,
                                                    Endpoint peer) {
    co_await clock_.sleep(kOtherAddress);
    if (std::find(heard_.begin(), heard_.end(), cookie) == heard_.end()) found(info_hashes, peer);
}

void LocalDiscovery::found(std::vector<InfoHash> const& info_hashes, Endpoint const& peer) {
    for (auto const& info_hash : info_hashes) {
        auto const search = searches_.find(info_hash);
        if (search == searches_.end()) continue;
        auto const on_peer = search->second->on_peer_;  // it may end its search
        on_peer(peer);
    }
}

void LocalDiscovery::networks_changed() {
    schedule_.announce_all();
    schedule_changed_.notify();
}

asio::awaitable<void> LocalDiscovery::keep_announcing() {
    for (;;) {
        auto const next = schedule_.next();
        auto const now = clock_.now();
        if (next && *next <= now)
            announce();
        else if (next)
            co_await wait_at_most(clock_, schedule_changed_, *next - now);
        else
            co_await schedule_changed_.wait();
    }
}

void LocalDiscovery::announce() {
    LsdMessage message;
    message.info_hashes = schedule_.take(clock_.now());
    if (message.info_hashes.empty()) return;
    message.cookie = cookie_;
    log().debug("announced to the local network torrents={}", message.info_hashes.size());
    for (auto const& group : LsdMessage::groups()) {
        message.port = ports_[group.address.is_v6()];
        if (message.port == 0) continue;
        auto const text = message.encode(group);
        multicast_.send(group, std::as_bytes(std::span(text)));
    }
}

}  // namespace rqfs::torrent
