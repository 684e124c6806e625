#include "torrent/tracker/announcer.h"

#include "torrent/error.h"
#include "torrent/hash.h"
#include "torrent/log.h"
#include "torrent/settings.h"
#include "torrent/timeout.h"
#include "torrent/tracker/announce_call.h"
#include "torrent/tracker/announcer_state.h"

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

Announcer::State::State(Network shared, InfoHash const& hash, Owner& whose)
    : network(std::move(shared)),
      info_hash(hash),
      owner(whose),
      schedule(random_number<std::uint64_t>()),
      key(random_number<std::uint32_t>()),
      news_came(network.executor),
      farewells_ended(network.executor) {
    if (!network.clients) own_clients = std::make_unique<TrackerClients>(network.executor, network.clock, network.udp);
}

std::vector<AnnounceSchedule::Id> Announcer::State::add(std::vector<std::vector<std::string>> const& tiers) {
    auto added = schedule.merge(tiers, network.clock.now());
    for (auto const id : added) {
        auto url = Url::parse(schedule.url(id));
        if (url)
            urls.emplace(id, std::move(*url));
        else
            schedule.unusable(id, url.error().what);
    }
    return added;
}

AnnounceRequest Announcer::State::make_request(AnnounceSchedule::Id id) const {
    auto const facts = owner.announce_facts();
    AnnounceRequest request;
    request.info_hash = info_hash;
    request.peer_id = facts.peer_id;
    request.uploaded_bytes = facts.uploaded_bytes;
    request.downloaded_bytes = facts.downloaded_bytes;
    request.left_bytes = facts.left_bytes;
    request.partial_seed = facts.partial_seed;
    request.num_want = facts.wants_peers ? limit::kNumWant : 0;
    request.key = key;
    request.tracker_id = schedule.tracker_id(id);
    return request;
}

AnnounceCall Announcer::State::make_call(AnnounceSchedule::Job const& job) {
    return {.http = network.http,
            .resolver = network.resolver,
            .udp = clients().udp,
            .local = network.udp.local(),
            .test_network = network.test_network,
            .urgent = urgent,
            .trusted = trusted.contains(schedule.url(job.tracker)),
            .events = job.events,
            .ports = owner.announce_facts().ports,
            .only_v6 = job.only_v6,
            .heard = {}};
}

Announcer::State::Farewell Announcer::State::make_farewell(AnnounceSchedule::Job const& job) {
    return {urls.at(job.tracker), make_request(job.tracker), make_call(job)};
}

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
    auto const slot = co_await clients().slots.acquire(urgent, info_hash);
    if (!schedule.has(job.tracker)) co_return;  // the user took it out
    auto call = make_call(job);
    call.heard = [this, job](AnnounceResponse const& response) {
        if (!schedule.has(job.tracker)) return;
        bool const users = trusted.contains(schedule.url(job.tracker));
        if (response.external_address) owner.tracker_says_we_are(*response.external_address, response.from, users);
        if (!response.peers.empty()) owner.tracker_peers(schedule.url(job.tracker), response.peers);
    };
    auto const url = urls.at(job.tracker);
    auto request = make_request(job.tracker);
    auto farewell = make_farewell(job);
    auto const outcome = co_await announce_to_tracker(call, url, std::move(request));
    ended(job, url, outcome);
    if (!schedule.has(job.tracker) && outcome.all) {  // taken out meanwhile, and it has just heard of us again
        farewell.call.events = {AnnounceEvent::stopped, AnnounceEvent::stopped};
        tasks->spawn(say_stopped(std::move(farewell), limit::kTrackerTime));
    }
    if (!outcome.all || outcome.all->counts.seeders || outcome.all->counts.leechers) co_return;
    if (schedule.begin_scrape(job.tracker, network.clock.now())) tasks->spawn(scrape(job.tracker));
}

void Announcer::State::ended(AnnounceSchedule::Job const& job, Url const& url, AnnounceOutcome const& outcome) {
    if (outcome.all)
        log().debug("announced torrent={} tracker={} peers={}", info_hash.short_hex(), url.host,
                    outcome.all->peers.size());
    else
        log().debug("announce failed torrent={} tracker={} reason={}", info_hash.short_hex(), url.host,
                    outcome.all.error().what);
    schedule.ended(job, network.clock.now(), outcome);
    wake();
}

asio::awaitable<void> Announcer::State::scrape(AnnounceSchedule::Id id) {
    auto const slot = co_await clients().slots.acquire(false);
    if (!schedule.has(id)) co_return;  // the user took it out
    AnnounceSchedule::Job job;
    job.tracker = id;
    auto const call = make_call(job);
    auto const url = urls.at(id);
    auto const reply = co_await scrape_tracker(call, url, info_hash);
    schedule.scraped(id, network.clock.now(), reply);
}

Announcer::Announcer(Network network, InfoHash const& info_hash, std::vector<std::vector<std::string>> tiers,
                     bool is_private, Owner& owner)
    : state_(std::make_unique<State>(std::move(network), info_hash, owner)) {
    state_->add(tiers);
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
    state_->clients().slots.hurry(state_->info_hash);
    state_->clients().udp.hurry(state_->info_hash);
    state_->wake();
}

std::optional<std::string> Announcer::ask(std::string const& url) {
    auto const id = state_->schedule.find(url);
    if (!id) return "the torrent has no tracker " + url;
    auto refused = state_->schedule.ask(*id, state_->network.clock.now());
    state_->wake();
    return refused;
}

void Announcer::scrape() {
    if (!state_->tasks || state_->stopping) return;
    for (auto const id : state_->schedule.due_scrapes(state_->network.clock.now()))
        state_->tasks->spawn(state_->scrape(id));
}

void Announcer::set_private(bool is_private) { state_->schedule.set_private(is_private); }

std::vector<std::vector<std::string>> Announcer::tiers() const { return state_->schedule.tiers(); }

std::vector<TrackerStatus> Announcer::status() const { return state_->schedule.status(state_->network.clock.now()); }

}  // namespace rqfs::torrent
