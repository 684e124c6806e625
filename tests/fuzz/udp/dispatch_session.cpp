#include "tests/fuzz/udp/dispatch_session.h"

#include "tests/fuzz/dht/stranger_messages.h"
#include "tests/fuzz/require.h"
#include "torrent/error.h"
#include "torrent/settings.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace rqfs::tests {

using namespace torrent;
using namespace std::chrono_literals;

namespace {

constexpr Duration kMostTime = 20min;
constexpr std::size_t kMostSent = 2'000;  // datagrams; then nobody answers any more: an input must end
constexpr std::size_t kMostCalls = 600;
constexpr std::size_t kMostSearches = 6;

std::vector<Endpoint> local(std::uint8_t setup) {
    std::vector<Endpoint> both{{Address(), 6881}, {Address::parse("::").value(), 6881}};
    if ((setup & 1) == 0) both.pop_back();
    return both;
}

}  // namespace

Endpoint tracker_place(std::uint8_t number) {
    switch (number % 8) {
        case 4: return {place(128).address, 6969};
        case 5: return {Address::v4({0, 0, 0, 9}), 6969};
        case 6: return place(1);
        case 7: return {place(1).address, 6969};
        default: return {Address::v4({51, 0, 0, static_cast<std::uint8_t>(1 + number % 8)}), 6969};
    }
}

boost::asio::awaitable<std::vector<Address>> DispatchSession::NoNames::resolve(std::string host) {
    throw_error(Errc::not_found, "no host " + host);
    co_return std::vector<Address>();
}

DispatchSession::DispatchSession(FuzzInput input)
    : input_(input), udp_(local(input_.next())), nodes_(false, clock_.now()), time_left_(kMostTime) {
    udp_.on_send = [this](SharedUdp::Sent const& sent) { leaves(sent); };
    tracker_ = std::make_unique<UdpTracker>(engine_.get_executor(), clock_, udp_.line(UdpUser::tracker));
    Dht::Options options;
    options.refuses = [](Address const& address) { return address == refused_address(); };
    options.random = DhtRandom([this](std::span<std::byte> bytes) {
        for (auto& each : bytes) each = static_cast<std::byte>(chance_() >> 8 & 0xff);
    });
    Dht::Network const where{engine_.get_executor(), clock_, udp_.line(UdpUser::dht), names_};
    dht_ = std::make_unique<Dht>(where, std::move(options), std::span<std::byte const>());
    dht_->start();
    pass(0s);
}

DispatchSession::~DispatchSession() {
    for (auto const& each : searches_) nodes_.search_ends(each.first);
    searches_.clear();
    std::size_t stopped = 0;
    auto const count = [&](std::exception_ptr) { ++stopped; };
    for (auto const& each : calls_) boost::asio::co_spawn(engine_, each->task->stop(), count);
    boost::asio::co_spawn(engine_, dht_->stop(), count);
    clock_.run_for(engine_, 1s);
    require(stopped == calls_.size() + 1, "everybody stops at once");
    dht_.reset();
    tracker_.reset();
}

void DispatchSession::run() {
    while (!input_.empty() && sent_ < kMostSent) event(input_.next());
}

void DispatchSession::event(std::uint8_t kind) {
    switch (kind % 16) {
        case 1: raw(); break;                                         // a: from, form, length, bytes
        case 2: call(); break;                                        // b: of whom, kind, how many more
        case 3: cancel(); break;                                      // c: which
        case 4: tracker_->hurry(torrent_hash(input_.next())); break;  // d: whom
        case 5: tracker_reply(); break;                               // e: to which, how, from
        case 6: query(); break;                                       // f: of, from, form, about
        case 7: node_reply(); break;                                  // g: to which, how
        case 8: crossed(); break;                                     // h: to which, to which, how
        case 9: search(); break;                                      // i: what for
        case 10: end_search(); break;                                 // j: which
        case 11: add_node(); break;                                   // k: where
        case 12: flood(); break;                                      // l: how many, of what, who
        case 13: echo(); break;                                       // m: whose, from
        case 14: trackers_answer_ = (input_.next() & 1) != 0; break;  // n: whether
        case 15: nodes_answer_ = (input_.next() & 1) != 0; break;     // o: whether
        default: {                                                    // p: how long
            static constexpr std::array<Duration, 16> times{0ms, 10ms, 100ms, 1s,  2s,  3s,   5s,   8s,
                                                            9s,  15s,  30s,   31s, 59s, 1min, 3min, 5min};
            pass(std::min(times[input_.next() % times.size()], time_left_));
        }
    }
    pass(0s);
    nodes_.check(*dht_, clock_.now());
}

void DispatchSession::pass(Duration time) {
    time_left_ = std::max(Duration(0s), time_left_ - time);
    clock_.run_for(engine_, time);
    trackers_.settled(clock_.now());
}

void DispatchSession::leaves(SharedUdp::Sent const& sent) {
    ++sent_;
    last_sent_[static_cast<std::size_t>(sent.by)] = sent;
    auto const now = clock_.now();
    if (sent.by == UdpUser::tracker) {
        trackers_.leaves(sent.to, sent.bytes, now);
        auto const asked = trackers_.asked().back();
        if (!trackers_answer_ || sent_ >= kMostSent) return;
        boost::asio::post(engine_, [this, asked] { deliver(asked.to, tracker_answer(asked, 0)); });
        return;
    }
    auto const query = nodes_.leaves(sent.to, std::as_bytes(std::span(sent.bytes)), now);
    if (!query || !nodes_answer_ || sent_ >= kMostSent) return;
    DhtModel::Asked const asked{sent.to, *query, now};
    boost::asio::post(engine_, [this, asked] { deliver(asked.to, encoded(stranger_reply(asked, 1, random_))); });
}

void DispatchSession::call() {
    auto const whose = input_.next();
    auto const kind = input_.next();
    auto const more = input_.next();
    TrackerModel::Trackers trackers{tracker_place(whose)};
    if ((kind & 2) != 0) trackers.push_back(tracker_place(static_cast<std::uint8_t>(whose / 8)));
    call(std::move(trackers), kind);
    // Many trackers, each of one call, for whom there is no room in memory together.
    if ((kind & 8) == 0) return;
    for (std::uint32_t i = 0; i < more * 2u; ++i) call({crowd_place(i)}, kind);
}

void DispatchSession::call(TrackerModel::Trackers trackers, std::uint8_t kind) {
    if (calls_.size() >= kMostCalls) return;
    auto& made = *calls_.emplace_back(std::make_unique<Call>());
    made.trackers = std::move(trackers);
    made.info_hash = torrent_hash(kind / 16);
    made.task = std::make_unique<TaskGroup>(engine_.get_executor(), "call");
    trackers_.call_begins(made.trackers);
    AnnounceRequest request;
    request.info_hash = made.info_hash;
    made.task->spawn((kind & 1) != 0 ? scrape(made) : announce(made, request, (kind & 4) != 0));
    pass(0s);
}

void DispatchSession::cancel() {
    auto const which = input_.next();
    if (!calls_.empty()) calls_[which % calls_.size()]->task->cancel();
}

namespace {

// However it ends.
template <class Call>
class End {
public:
    End(TrackerModel& model, Call& call) : model_(model), call_(call) {}
    End(End const&) = delete;
    End& operator=(End const&) = delete;
    ~End() { model_.call_ends(call_.trackers); }

private:
    TrackerModel& model_;
    Call& call_;
};

}  // namespace

boost::asio::awaitable<void> DispatchSession::announce(Call& call, AnnounceRequest request, bool urgent) {
    End<Call> const end(trackers_, call);
    auto const trackers = call.trackers;
    std::string const target = "/announce";
    auto const result = co_await tracker_->announce(trackers, target, request, urgent);
    if (!result) co_return require(!result.error().what.empty(), "whoever fails says why");
    require(trackers_.announced_by(result->from), "only a tracker's announcement is one");
    require(result->peers.size() <= limit::kTrackerPeers, "peers are limited");
    for (auto const& peer : result->peers) require(peer.port != 0, "peers have ports");
}

boost::asio::awaitable<void> DispatchSession::scrape(Call& call) {
    End<Call> const end(trackers_, call);
    auto const trackers = call.trackers;
    auto const info_hash = call.info_hash;
    auto const reply = co_await tracker_->scrape(trackers, info_hash);
    require(reply.failure.empty() == reply.counts.seeders.has_value(), "a scrape has counts, or failed");
}

void DispatchSession::search() {
    auto const info_hash = torrent_hash(input_.next());
    if (searches_.size() == kMostSearches) return;
    nodes_.search_begins(info_hash);
    searches_.emplace_back(info_hash, dht_->find_peers(info_hash, [](auto const&) {}));
    searches_.back().second->announce({6881, 6881}, false);
    searches_.back().second->hurry();
}

void DispatchSession::end_search() {
    auto const which = input_.next();
    if (searches_.empty()) return;
    auto const ended = searches_.begin() + which % static_cast<std::ptrdiff_t>(searches_.size());
    nodes_.search_ends(ended->first);
    searches_.erase(ended);
}

void DispatchSession::add_node() {
    auto const at = place(input_.next());
    nodes_.told_of(at);
    dht_->add_node(at);
}

}  // namespace rqfs::tests
