// How an announcer takes leave of trackers: of all when it stops, of one when the user takes it out.
#include "torrent/limits.h"
#include "torrent/timeout.h"
#include "torrent/tracker/announcer_state.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {

namespace asio = boost::asio;

asio::awaitable<void> Announcer::State::ask_and_say_stopped(Farewell const& farewell) {
    auto const slot = co_await clients().slots.acquire(true);
    auto request = farewell.request;
    co_await announce_to_tracker(farewell.call, farewell.url, std::move(request));
}

asio::awaitable<void> Announcer::State::say_stopped(Farewell farewell, Duration limit) {
    try {
        auto asking = ask_and_say_stopped(farewell);
        co_await with_timeout(network.clock, std::move(asking), limit, std::string());
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;  // the time over: nobody will ask what became of it
    }
}

asio::awaitable<void> Announcer::State::say_last_stopped(Farewell farewell, Duration limit) {
    struct Ended {
        State& state;
        ~Ended() {
            --state.farewells;
            state.farewells_ended.notify();
        }
    } const ended{*this};
    co_await say_stopped(std::move(farewell), limit);
}

void Announcer::set_trackers(std::vector<std::vector<std::string>> const& tiers,
                             std::vector<std::string> const& trusted) {
    auto& state = *state_;
    auto const now = state.network.clock.now();
    std::set<std::string> kept;
    for (auto const& tier : tiers) kept.insert(tier.begin(), tier.end());
    for (auto const id : state.schedule.ids()) {
        if (kept.contains(state.schedule.url(id))) continue;
        auto const job = state.schedule.farewell(id);
        if (job && state.tasks && !state.stopping)
            state.tasks->spawn(state.say_stopped(state.make_farewell(*job), limit::kTrackerTime));
        state.urls.erase(id);
    }
    state.trusted = std::set<std::string>(trusted.begin(), trusted.end());
    state.schedule.arrange(tiers, now);
    state.add(tiers);
    state.schedule.arrange(tiers, now);
    state.wake();
}

asio::awaitable<void> Announcer::stop(Duration limit) {
    auto& state = *state_;
    state.start_again = false;
    if (!state.tasks || state.stopping) co_return;
    state.stopping = true;
    std::vector<State::Farewell> told;
    for (auto const& job : state.schedule.stop()) told.push_back(state.make_farewell(job));
    co_await state.tasks->stop();
    state.tasks.reset();
    TaskGroup farewells(state.network.executor, "announcer " + state.info_hash.short_hex() + " stopping");
    state.farewells = told.size();
    for (auto& farewell : told) farewells.spawn(state.say_last_stopped(std::move(farewell), limit));
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
