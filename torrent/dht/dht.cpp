#include "torrent/dht/dht.h"

#include "torrent/dht/dht_state.h"
#include "torrent/log.h"
#include "torrent/settings.h"
#include "torrent/timeout.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

using namespace std::chrono_literals;

constexpr Duration kSavedNodesFirst = 2s;  // before routers are troubled
constexpr Duration kFirstRetry = 5s;
constexpr Duration kLastRetry = 15min;
constexpr Duration kRetryForWhoWaits = 10s;  // when nobody answers: after an outage a reader waits so much longer
constexpr Duration kSearchPause = 1h;        // nothing is due: until something changes

struct Router {
    std::string host;
    std::uint16_t port = 0;
};

std::optional<Router> parse_router(std::string const& text) {
    auto const colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) return std::nullopt;
    Router router{text.substr(0, colon), 0};
    auto const* const end = text.data() + text.size();
    auto const [last, failure] = std::from_chars(text.data() + colon + 1, end, router.port);
    if (failure != std::errc() || last != end || router.port == 0) return std::nullopt;
    return router;
}

// The id of the last run where it still fits our address, or one made anew (BEP 42); an address unknown is voted on
// later.
NodeId own_id(std::optional<NodeId> const& saved, Address const& local, DhtRandom const& random) {
    bool const known = std::any_of(local.bytes().begin(), local.bytes().end(), [](auto b) { return b != 0; });
    if (saved && (!known || is_secure(*saved, local))) return *saved;
    return known ? secure_node_id(local, random.id()) : random.id();
}

bool lonely(DhtNode const& node) { return node.hears_nobody() || node.status().good < limit::kDhtEnoughNodes; }

}  // namespace

Dht::Search::Search(Dht& dht, InfoHash const& info_hash, OnPeers on_peers)
    : dht_(dht), info_hash_(info_hash), on_peers_(std::move(on_peers)) {
    for (auto const& node : dht_.nodes_) families_.push_back({node.get(), SearchSchedule(dht_.network_.clock.now())});
    dht_.searches_.push_back(this);
    dht_.touch();
}

Dht::Search::~Search() {
    for (auto const& family : families_)
        if (family.running != 0) family.node->cancel(family.running);
    dht_.searches_.remove(this);
}

void Dht::Search::announce(PerFamily<std::uint16_t> ports, bool seed) {
    seed_ = seed;
    bool due = false;
    for (auto& family : families_) {
        auto const port = ports[family.node->is_v6()];
        bool const another = port != 0 && port != family.port;
        if (another) family.schedule.announce_again(dht_.network_.clock.now());
        family.port = port;
        due = due || another;
    }
    if (due) dht_.touch();
}

void Dht::Search::hurry() {
    bool changed = false;
    for (auto& family : families_) {
        if (!family.schedule.hurry(dht_.network_.clock.now())) continue;
        changed = true;
        if (family.running != 0) family.node->hurry(family.running);
    }
    if (changed) dht_.touch();
}

Dht::Search::Progress Dht::Search::progress() const {
    Progress progress;
    auto const now = dht_.network_.clock.now();
    auto const deaf = [](Family const& family) { return family.node->hears_nobody(); };
    auto const tried = [](Family const& family) { return family.schedule.tried(); };
    progress.unanswered =
        std::all_of(families_.begin(), families_.end(), deaf) && std::any_of(families_.begin(), families_.end(), tried);
    for (auto const& family : families_) {
        progress.peers += family.peers;
        progress.nodes_known = progress.nodes_known || family.node->knows_somebody();
        progress.searching = progress.searching || family.running != 0;
        if (family.running != 0 || !family.node->knows_somebody()) continue;
        auto const wait = std::max(Duration(family.schedule.due() - now), Duration::zero());
        progress.next = progress.next ? std::min(*progress.next, wait) : wait;
    }
    if (progress.searching) progress.next.reset();
    return progress;
}

Dht::Dht(Network network, Options options, std::span<std::byte const> bytes)
    : network_(std::move(network)),
      options_(std::move(options)),
      saved_(DhtState::parse(bytes)),
      changed_(network_.executor),
      tasks_(network_.executor, "DHT") {
    for (auto const& local : network_.socket.local()) {
        if (node_of(local.address)) continue;  // one a family
        DhtNode::Options node;
        node.v6 = local.address.is_v6();
        node.read_only = options_.read_only;
        node.test_network = options_.test_network;
        node.id = own_id(node.v6 ? saved_.id6 : saved_.id4, local.address, options_.random);
        node.random = options_.random;
        node.on_contact = [this] { nodes_known(); };
        node.on_failed = [this](Endpoint const& failed) { forget_saved(failed); };
        node.on_address = options_.on_address;
        node.refuses = options_.refuses;
        node.anonymous = options_.anonymous;
        DhtNode::Network const where{network_.executor, network_.clock, network_.socket};
        nodes_.push_back(std::make_unique<DhtNode>(where, std::move(node)));
    }
    network_.socket.add(*this);
}

Dht::~Dht() { network_.socket.remove(*this); }

void Dht::start() {
    for (auto const& node : nodes_) {
        DhtNode* sibling = nullptr;
        for (auto const& other : nodes_)
            if (other != node) sibling = other.get();
        node->start(sibling);
    }
    tasks_.spawn(bootstrap());
    tasks_.spawn(search());
}

asio::awaitable<void> Dht::stop() {
    co_await tasks_.stop();
    for (auto const& node : nodes_) co_await node->stop();
}

DhtNode* Dht::node_of(Address const& address) const {
    for (auto const& node : nodes_)
        if (node->is_v6() == address.is_v6()) return node.get();
    return nullptr;
}

// Of UDP's users only the DHT's messages begin with 'd': a dictionary. uTP's begin with a version, trackers' with a
// number below 4.
bool Dht::datagram(Endpoint const& from, std::span<std::byte const> bytes) {
    if (bytes.empty() || bytes.front() != std::byte{'d'}) return false;
    auto* const node = node_of(from.address);
    return node && node->datagram(from, bytes);
}

std::vector<std::byte> Dht::save() const {
    DhtState state;
    for (auto const& node : nodes_) {
        (node->is_v6() ? state.id6 : state.id4) = node->table().own();
        auto const nodes = node->table().to_save(limit::kDhtSavedNodes);
        state.nodes.insert(state.nodes.end(), nodes.begin(), nodes.end());
    }
    // A short run, or one without a family, has met few of those that are there.
    state.add_missing(saved_);
    return state.encode();
}

void Dht::add_node(Endpoint const& endpoint) {
    if (auto* const node = node_of(endpoint.address)) node->add_node(endpoint);
}

void Dht::external_address(Address const& address) {
    if (auto* const node = node_of(address)) node->external_address(address);
}

std::vector<DhtStatus> Dht::status() const {
    std::vector<DhtStatus> all;
    for (auto const& node : nodes_) {
        all.push_back(node->status());
        all.back().searches = static_cast<std::uint32_t>(searches_.size());
    }
    return all;
}

void Dht::nodes_known() {
    for (auto* const search : searches_)
        for (auto& family : search->families_) family.schedule.nodes_known(network_.clock.now());
    touch();
}

void Dht::forget_saved(Endpoint const& node) {
    std::erase_if(saved_.nodes, [&](NodeContact const& each) { return each.endpoint == node; });
}

std::unique_ptr<Dht::Search> Dht::find_peers(InfoHash const& info_hash, OnPeers on_peers) {
    return std::unique_ptr<Search>(new Search(*this, info_hash, std::move(on_peers)));
}

asio::awaitable<void> Dht::bootstrap() {
    if (!saved_.nodes.empty()) {
        for (auto const& node : nodes_) node->bootstrap(saved_.nodes, {});
        touch();
        co_await network_.clock.sleep(kSavedNodesFirst);
    }
    co_await keep_in_touch();
}

// Routers are asked later and later while there are too few nodes, and from the beginning when nobody answers any more.
asio::awaitable<void> Dht::keep_in_touch() {
    auto const deaf = [](auto const& node) { return node->hears_nobody(); };
    auto pause = kFirstRetry;
    std::optional<TimePoint> sought;
    for (bool was_deaf = false;; co_await network_.clock.sleep(kFirstRetry)) {
        bool const enough = std::none_of(nodes_.begin(), nodes_.end(), [](auto const& node) { return lonely(*node); });
        bool const all_deaf = std::all_of(nodes_.begin(), nodes_.end(), deaf);
        if (enough || (all_deaf && !was_deaf)) {
            pause = kFirstRetry;
            sought.reset();
        }
        was_deaf = all_deaf;
        auto const now = network_.clock.now();
        auto const wait = all_deaf && somebody_waits() ? std::min(pause, kRetryForWhoWaits) : pause;
        if (enough || (sought && now < *sought + wait)) continue;
        if (sought) pause = std::min(pause * 2, kLastRetry);
        sought = now;
        seek_nodes();
    }
}

void Dht::seek_nodes() {
    for (auto const& node : nodes_)
        if (node->hears_nobody()) node->bootstrap(node->table().empty() ? saved_.nodes : std::vector<NodeContact>(), {});
    for (auto const& router : options_.routers) tasks_.spawn(ask_router(router));
}

bool Dht::somebody_waits() const {
    auto const now = network_.clock.now();
    return std::any_of(searches_.begin(), searches_.end(), [&](Search const* search) {
        return std::any_of(search->families_.begin(), search->families_.end(),
                           [&](auto const& family) { return family.schedule.waited_for(now).has_value(); });
    });
}

asio::awaitable<void> Dht::ask_router(std::string text) {
    auto const router = parse_router(text);
    if (!router) co_return;
    try {
        std::vector<Endpoint> endpoints;
        for (auto const& address : co_await network_.resolver.resolve(router->host))
            endpoints.push_back({address, router->port});
        for (auto const& node : nodes_)
            if (lonely(*node)) node->bootstrap(saved_.nodes, endpoints);
        touch();
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        log().debug("DHT router not found router={} error={}", text, sentence(e));
    }
}

asio::awaitable<void> Dht::search() {
    for (;;) {
        auto const next = begin_due();
        auto const now = network_.clock.now();
        auto const pause = next <= now ? Duration(1s) : std::min(Duration(next - now), Duration(kSearchPause));
        try {
            co_await with_timeout(network_.clock, touched(), pause, "");
        } catch (boost::system::system_error const& e) {
            if (e.code() != make_error_code(Errc::timed_out)) throw;
        }
    }
}

// Something has changed about the searches: they are looked at again.
void Dht::touch() {
    touched_ = true;
    changed_.notify();
}

asio::awaitable<void> Dht::touched() {
    while (!touched_) co_await changed_.wait();
    touched_ = false;
}

// Those that somebody waits for first, of them the latest; then whose turn came first. The time of the next search.
TimePoint Dht::begin_due() {
    struct Due {
        std::optional<TimePoint> waited_for;
        TimePoint due;
        Search* search;
        Search::Family* family;
    };
    auto const now = network_.clock.now();
    auto next = TimePoint::max();
    std::vector<Due> all;
    for (auto* const search : searches_)
        for (auto& family : search->families_) {
            if (!family.node->knows_somebody()) continue;
            if (family.schedule.is_due(now))
                all.push_back({family.schedule.waited_for(now), family.schedule.due(), search, &family});
            else
                next = std::min(next, family.schedule.due());
        }
    std::stable_sort(all.begin(), all.end(), [](Due const& a, Due const& b) {
        return a.waited_for != b.waited_for ? a.waited_for > b.waited_for : a.due < b.due;
    });
    for (auto const& each : all) {
        auto const most = limit::kDhtLookups + (each.waited_for ? limit::kDhtUrgentLookups : 0);
        if (each.family->node->lookups() < most)
            begin(*each.search, *each.family);
        else
            next = now;
    }
    return next;
}

void Dht::begin(Search& search, Search::Family& family) {
    DhtNode::Search order;
    order.info_hash = search.info_hash_;
    if (family.port != 0 && family.schedule.announces(network_.clock.now())) order.announce = family.port;
    order.seed = search.seed_;
    order.waited_for = family.schedule.waited_for(network_.clock.now());
    family.peers = 0;
    order.on_peers = [this, &search, &family](std::vector<Endpoint> peers) {
        if (options_.is_our_own) std::erase_if(peers, options_.is_our_own);
        if (peers.empty()) return;
        family.peers += peers.size();
        auto const on_peers = search.on_peers_;  // it may end the search
        on_peers(peers);
    };
    order.on_end = [this, &family](std::size_t replies, std::size_t announces) {
        family.running = 0;
        family.schedule.ended(replies, family.peers, announces, options_.random.number<std::uint32_t>(), network_.clock.now());
        touch();
    };
    family.schedule.began();
    family.running = family.node->search(std::move(order));
}

}  // namespace rqfs::torrent
