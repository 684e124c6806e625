#include "torrent/tracker/announcer.h"

#include "torrent/error.h"
#include "torrent/event.h"
#include "torrent/hash.h"
#include "torrent/log.h"
#include "torrent/net/url.h"
#include "torrent/settings.h"
#include "torrent/timeout.h"
#include "torrent/tracker/announce_call.h"
#include "torrent/tracker/announce_schedule.h"
#include "torrent/tracker/tracker_clients.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

// However the schedule is read, the loop does not spin.
constexpr std::chrono::milliseconds kShortestSleep{100};

template <class Integer>
Integer random_number() {
    std::array<std::byte, sizeof(Integer)> bytes{};
    fill_random(bytes);
    Integer number = 0;
    std::memcpy(&number, bytes.data(), sizeof number);
    return number;
}

asio::awaitable<void> wait_for_news(Event& event, std::uint64_t const& news, std::uint64_t seen) {
    while (news == seen) co_await event.wait();
}

}  // namespace

struct Announcer::State {
    State(Network shared, InfoHash const& hash, Owner& whose)
        : network(std::move(shared)),
          info_hash(hash),
          owner(whose),
          schedule(random_number<std::uint64_t>()),
          key(random_number<std::uint32_t>()),
          news_came(network.executor),
          farewells_ended(network.executor) {
        if (!network.clients)
            own_clients = std::make_unique<TrackerClients>(network.executor, network.clock, network.udp);
    }

    TrackerClients& clients() { return own_clients ? *own_clients : *network.clients; }

    void merge(std::vector<std::vector<std::string>> const& tiers) {
        auto const before = schedule.size();
        schedule.merge(tiers, network.clock.now());
        for (auto id = before; id < schedule.size(); ++id) {
            auto url = Url::parse(schedule.url(id));
            if (url)
                urls.emplace(id, std::move(*url));
            else
                schedule.unusable(id, url.error().what);
        }
    }

    // Something changed that the loop must look at.
    void wake() {
        ++news;
        news_came.notify();
    }

    AnnounceRequest make_request(AnnounceSchedule::Id id, AnnounceEvent event) const {
        auto const facts = owner.announce_facts();
        AnnounceRequest request;
        request.info_hash = info_hash;
        request.peer_id = facts.peer_id;
        request.port = facts.port;
        request.uploaded_bytes = facts.uploaded_bytes;
        request.downloaded_bytes = facts.downloaded_bytes;
        request.left_bytes = facts.left_bytes;
        request.event = event;
        request.partial_seed = facts.partial_seed;
        request.num_want = facts.wants_peers && event != AnnounceEvent::stopped ? limit::kNumWant : 0;
        request.key = key;
        request.tracker_id = schedule.tracker_id(id);
        return request;
    }

    AnnounceCall make_call() {
        return {network.http, network.resolver, clients().udp, network.udp.local(), network.test_network, urgent, {}};
    }

    asio::awaitable<void> run();
    asio::awaitable<void> announce(AnnounceSchedule::Job job);
    asio::awaitable<void> say_stopped(AnnounceSchedule::Id id, Duration limit);
    asio::awaitable<void> ask_and_say_stopped(AnnounceSchedule::Id id);
    void ended(AnnounceSchedule::Job const& job, AnnounceResult const& result);

    Network network;
    InfoHash info_hash;
    Owner& owner;
    AnnounceSchedule schedule;
    std::map<AnnounceSchedule::Id, Url> urls;  // of usable trackers
    std::unique_ptr<TrackerClients> own_clients;
    std::uint32_t key;  // the same for all trackers and both families, new each run (BEP 7)
    bool urgent = false;
    std::uint64_t news = 0;
    Event news_came;
    std::unique_ptr<TaskGroup> tasks;  // while started
    bool stopping = false;
    bool start_again = false;
    std::size_t farewells = 0;
    Event farewells_ended;
};

// Starts what is due, then sleeps until more is.
asio::awaitable<void> Announcer::State::run() {
    for (;;) {
        auto const seen = news;
        auto const now = network.clock.now();
        auto const jobs = schedule.due(now);
        for (auto const& job : jobs) tasks->spawn(announce(job));
        auto const next = schedule.next();
        auto waiting = wait_for_news(news_came, news, seen);
        if (!next) {
            co_await std::move(waiting);
            continue;
        }
        try {
            co_await with_timeout(network.clock, std::move(waiting),
                                  std::max<Duration>(std::max(*next, now) - now, kShortestSleep), std::string());
        } catch (boost::system::system_error const& e) {
            if (e.code() != make_error_code(Errc::timed_out)) throw;
        }
    }
}

asio::awaitable<void> Announcer::State::announce(AnnounceSchedule::Job job) {
    auto const slot = co_await clients().slots.acquire(urgent);
    auto call = make_call();
    call.heard = [this, job](AnnounceResponse const& response) {
        if (response.external_address) owner.tracker_says_we_are(*response.external_address, schedule.url(job.tracker));
        if (!response.peers.empty()) owner.tracker_peers(schedule.url(job.tracker), response.peers);
    };
    auto const& url = urls.at(job.tracker);
    auto request = make_request(job.tracker, job.event);
    auto const result = co_await announce_to_tracker(call, url, std::move(request));
    ended(job, result);
    if (!result || result->counts.seeders || result->counts.leechers) co_return;
    auto const counts = co_await scrape_tracker(call, url, info_hash);
    if (counts) schedule.scraped(job.tracker, *counts);
}

void Announcer::State::ended(AnnounceSchedule::Job const& job, AnnounceResult const& result) {
    auto const now = network.clock.now();
    auto const& host = urls.at(job.tracker).host;
    if (result) {
        log().debug("announced torrent={} tracker={} peers={}", info_hash.short_hex(), host, result->peers.size());
        schedule.succeeded(job.tracker, now, job.event, *result);
    } else {
        log().debug("announce failed torrent={} tracker={} reason={}", info_hash.short_hex(), host,
                    result.error().what);
        schedule.failed(job.tracker, now, result.error());
    }
    wake();
}

asio::awaitable<void> Announcer::State::ask_and_say_stopped(AnnounceSchedule::Id id) {
    auto const slot = co_await clients().slots.acquire(true);
    auto call = make_call();
    auto request = make_request(id, AnnounceEvent::stopped);
    co_await announce_to_tracker(call, urls.at(id), std::move(request));
}

asio::awaitable<void> Announcer::State::say_stopped(AnnounceSchedule::Id id, Duration limit) {
    struct Ended {
        State& state;
        ~Ended() {
            --state.farewells;
            state.farewells_ended.notify();
        }
    } const ended{*this};
    try {
        auto asking = ask_and_say_stopped(id);
        co_await with_timeout(network.clock, std::move(asking), limit, std::string());
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;  // the time over: nobody will ask what became of it
    }
}

Announcer::Announcer(Network network, InfoHash const& info_hash, std::vector<std::vector<std::string>> tiers,
                     bool is_private, Owner& owner)
    : state_(std::make_unique<State>(std::move(network), info_hash, owner)) {
    state_->merge(tiers);
    state_->schedule.set_private(is_private);
}

Announcer::~Announcer() = default;

void Announcer::start() {
    state_->start_again = state_->stopping;
    if (state_->tasks || state_->stopping) return;
    state_->tasks = std::make_unique<TaskGroup>(state_->network.executor, "announcer " + state_->info_hash.short_hex());
    state_->schedule.start(state_->network.clock.now());
    state_->tasks->spawn(state_->run());
}

void Announcer::completed() {
    state_->schedule.completed();
    state_->wake();
}

void Announcer::announce_now() {
    state_->schedule.announce_now(state_->network.clock.now());
    state_->wake();
}

void Announcer::urgent(bool somebody_waits) {
    state_->urgent = somebody_waits;
    if (!somebody_waits) return;
    state_->schedule.urgent();
    state_->clients().udp.hurry(state_->info_hash);
    state_->wake();
}

void Announcer::merge(std::vector<std::vector<std::string>> tiers) {
    state_->merge(tiers);
    state_->wake();
}

void Announcer::set_private(bool is_private) { state_->schedule.set_private(is_private); }

std::vector<std::vector<std::string>> Announcer::tiers() const { return state_->schedule.tiers(); }

std::vector<TrackerStatus> Announcer::status() const { return state_->schedule.status(state_->network.clock.now()); }

asio::awaitable<void> Announcer::stop(Duration limit) {
    auto& state = *state_;
    state.start_again = false;
    if (!state.tasks || state.stopping) co_return;
    state.stopping = true;
    auto const told = state.schedule.stop();
    co_await state.tasks->stop();
    state.tasks.reset();
    TaskGroup farewells(state.network.executor, "announcer " + state.info_hash.short_hex() + " stopping");
    state.farewells = told.size();
    for (auto const id : told) farewells.spawn(state.say_stopped(id, limit));
    bool cancelled = false;
    try {
        while (state.farewells > 0) co_await state.farewells_ended.wait();
    } catch (boost::system::system_error const&) {
        cancelled = true;
    }
    co_await farewells.stop();
    state.farewells = 0;
    state.stopping = false;
    if (state.start_again) start();
    if (cancelled) throw boost::system::system_error(asio::error::operation_aborted);
}

}  // namespace rqfs::torrent
