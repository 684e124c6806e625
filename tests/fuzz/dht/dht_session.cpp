#include "tests/fuzz/dht/dht_session.h"

#include "tests/fuzz/require.h"
#include "torrent/dht/dht_state.h"
#include "torrent/error.h"
#include "torrent/settings.h"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <utility>

namespace rqfs::tests {

using namespace torrent;
using namespace std::chrono_literals;

namespace {

constexpr Duration kMostTime = 50min;
constexpr std::size_t kMostSent = 1'000;  // datagrams; then nobody answers any more: an input must end
constexpr std::size_t kMostSearches = 12;

}  // namespace

boost::asio::awaitable<std::vector<Address>> DhtSession::Literals::resolve(std::string host) {
    auto const address = Address::parse(host);
    if (!address) throw_error(Errc::not_found, "no host " + host);
    co_return std::vector<Address>(1, *address);
}

DhtSession::DhtSession(FuzzInput input) : input_(input), time_left_(kMostTime) {
    auto const setup = input_.next();
    udp_.listening.push_back({Address(), 6881});
    if ((setup & 1) != 0) udp_.listening.push_back({Address::parse("::").value(), 6881});
    options_.read_only = (setup & 2) != 0;
    options_.anonymous = (setup & 4) != 0;
    if ((setup & 8) != 0) options_.routers = {place(62).text()};
    options_.refuses = [](Address const& address) { return address == refused_address(); };
    options_.random = DhtRandom([this](std::span<std::byte> bytes) {
        for (auto& each : bytes) each = static_cast<std::byte>(chance_() >> 8 & 0xff);
    });
    udp_.network = [this](FakeUdp::Sent const& sent) {
        ++sent_;
        auto const query = model_->leaves(sent.to, std::as_bytes(std::span(sent.bytes)), clock_.now());
        if (query && sent_ < kMostSent) network(sent.to, *query);
        return std::vector<std::string>();
    };
    start({});
}

DhtSession::~DhtSession() { stop(); }

void DhtSession::start(std::vector<std::byte> const& state) {
    model_ = std::make_unique<DhtModel>(options_.read_only, clock_.now());
    for (auto const& each : DhtState::parse(state).nodes) model_->told_of(each.endpoint);
    for (auto const& router : options_.routers) model_->told_of(Endpoint::parse(router).value());
    dht_ = std::make_unique<Dht>(Dht::Network{engine_.get_executor(), clock_, udp_, names_}, options_, state);
    dht_->start();
    pass(0s);
}

void DhtSession::stop() {
    for (auto const& each : searches_)
        if (each->alive) model_->search_ends(each->info_hash);
    searches_.clear();
    bool stopped = false;
    boost::asio::co_spawn(engine_, dht_->stop(), [&](std::exception_ptr) { stopped = true; });
    clock_.run_for(engine_, 1s);
    require(stopped, "it stops at once");
    dht_.reset();
}

void DhtSession::run() {
    while (!input_.empty() && sent_ < kMostSent) event(input_.next());
}

void DhtSession::event(std::uint8_t kind) {
    switch (kind % 16) {
        case 1: query(); break;                                                       // a: of, from, about
        case 2: crowd(); break;                                                       // b: of, how many, about, who
        case 3: reply(); break;                                                       // c: to which, how
        case 4: refuse(); break;                                                      // d: to which
        case 5: stray_reply(); break;                                                 // e: to which, what is wrong
        case 6: raw(); break;                                                         // f: from, length, bytes
        case 7: begin_search(); break;                                                // g: what for
        case 8: end_search(); break;                                                  // h: which
        case 9: announce(); break;                                                    // i: which, port
        case 10: hurry(); break;                                                      // j: which
        case 11: add_node(); break;                                                   // k: where
        case 12: dht_->external_address(own_address(input_.next() % 2 != 0)); break;  // l: family
        case 13: restart(); break;                                                    // m: damage
        case 14: mode_ = input_.next() % 8; break;                                    // n: how the network answers
        case 15: broken_reply(); break;                                               // o: to which, where, what
        default: {                                                                    // p: how long
            static constexpr std::array<Duration, 16> times{0ms, 10ms, 100ms, 300ms, 1s,   2s,    5s,    8s,
                                                            9s,  30s,  1min,  3min,  5min, 11min, 15min, 31min};
            pass(std::min(times[input_.next() % times.size()], time_left_));
        }
    }
    pass(0s);
    model_->settled();
    model_->check(*dht_, clock_.now());
    udp_.sent.clear();
}

void DhtSession::pass(Duration time) {
    time_left_ -= time;
    clock_.run_for(engine_, time);
}

void DhtSession::inject(Endpoint const& from, std::string bytes) {
    model_->comes(from, bytes, clock_.now());
    udp_.inject(from, std::move(bytes));
}

void DhtSession::begin_search() {
    auto const what = input_.next();
    if (searches_.size() == kMostSearches) return;
    auto& added = *searches_.emplace_back(std::make_unique<Search>());
    added.info_hash = torrent_hash(what);
    added.ends_itself = what >= 128;
    model_->search_begins(added.info_hash);
    calling_ = true;
    added.search = dht_->find_peers(added.info_hash, [this, &added](auto const& peers) { found(added, peers); });
    calling_ = false;
}

void DhtSession::found(Search& search, std::vector<Endpoint> const& peers) {
    require(!calling_, "nobody is told of peers within his own call");
    require(search.alive, "whose search has ended is told of no peers");
    require(!peers.empty() && peers.size() <= limit::kDhtValuesPerReply, "as many peers as one answer has");
    for (auto const& peer : peers) require(peer.port != 0, "peers have ports");
    ++told_;
    if (!search.ends_itself) return;
    search.alive = false;
    search.search.reset();
    model_->search_ends(search.info_hash);
}

void DhtSession::end_search() {
    auto const which = input_.next();
    if (searches_.empty()) return;
    auto& ended = *searches_[which % searches_.size()];
    if (!ended.alive) return;  // its callback stays: nobody may call it
    ended.alive = false;
    ended.search.reset();
    model_->search_ends(ended.info_hash);
}

void DhtSession::announce() {
    auto const which = input_.next();
    auto const port = input_.next();
    if (searches_.empty() || !searches_[which % searches_.size()]->alive) return;
    calling_ = true;
    searches_[which % searches_.size()]->search->announce({port, static_cast<std::uint16_t>(port * 256)},
                                                          port % 2 != 0);
    calling_ = false;
}

void DhtSession::hurry() {
    auto const which = input_.next();
    if (searches_.empty() || !searches_[which % searches_.size()]->alive) return;
    calling_ = true;
    searches_[which % searches_.size()]->search->hurry();
    calling_ = false;
}

void DhtSession::add_node() {
    auto const at = place(input_.next());
    model_->told_of(at);
    dht_->add_node(at);
}

void DhtSession::restart() {
    auto const damage = input_.next();
    auto state = dht_->save();
    auto const saved = DhtState::parse(state);
    std::size_t nodes = 0;
    for (auto const& each : dht_->nodes()) nodes += each->table().to_save(limit::kDhtSavedNodes).size();
    require(saved.nodes.size() >= nodes, "all nodes that are to be saved are, beside some of the last run");
    require(saved.nodes.size() <= 2 * limit::kDhtSavedNodes, "what is saved is limited a family");
    std::vector<NodeId> ids;
    for (auto const& each : dht_->nodes()) ids.push_back(each->table().own());
    stop();
    if (damage % 4 != 0) state[damage * 7u % state.size()] ^= std::byte{damage};
    start(state);
    for (std::size_t i = 0; i < ids.size() && damage % 4 == 0; ++i)
        require(dht_->nodes()[i]->table().own() == ids[i], "a node keeps its id over runs");
}

}  // namespace rqfs::tests
