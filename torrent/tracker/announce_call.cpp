#include "torrent/tracker/announce_call.h"

#include "torrent/net/address_policy.h"
#include "torrent/settings.h"
#include "torrent/tracker/http_tracker.h"
#include "torrent/tracker/tracker_secrets.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

// A tracker's addresses that we may speak to, or why there are none.
struct Targets {
    std::vector<Address> addresses;
    AnnounceFailure failure;
};

asio::awaitable<Targets> find_targets(AnnounceCall const& call, Url const& tracker) {
    Targets targets;
    try {
        targets.addresses = co_await call.resolver.resolve(tracker.host);
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        targets.failure.what = sentence(e);
        targets.failure.reached = false;
        co_return targets;
    }
    auto const first = targets.addresses.front();
    if (call.trusted) co_return targets;
    std::erase_if(targets.addresses, [&](auto const& address) {
        return !call.resolver.stands_for_name(address) && !may_fetch_from(address, call.test_network);
    });
    targets.failure.reached = false;
    if (targets.addresses.empty())
        targets.failure.what =
            tracker.host + " is at " + first.text() + ", where no torrent's tracker list may send us";
    co_return targets;
}

bool has_family(std::vector<Address> const& addresses, bool v6) {
    return std::any_of(addresses.begin(), addresses.end(), [v6](auto const& address) { return address.is_v6() == v6; });
}

bool listens_on(std::vector<Endpoint> const& local, bool v6) {
    return std::any_of(local.begin(), local.end(),
                       [v6](auto const& endpoint) { return endpoint.address.is_v6() == v6; });
}

std::vector<Endpoint> endpoints_of(std::vector<Address> const& addresses, bool v6, std::uint16_t port) {
    std::vector<Endpoint> endpoints;
    for (auto const& address : addresses)
        if (address.is_v6() == v6) endpoints.push_back({address, port});
    return endpoints;
}

// Which families to announce over.
PerFamily<bool> choose_families(AnnounceCall const& call, std::vector<Address> const& addresses) {
    PerFamily<bool> chosen{has_family(addresses, false), has_family(addresses, true)};
    if (chosen[false] && chosen[true] && !call.local.empty()) {
        // A tracker with one family is asked over it, whatever we listen on.
        PerFamily<bool> const ours{listens_on(call.local, false), listens_on(call.local, true)};
        if (ours[false] || ours[true]) chosen = ours;
    }
    if (call.only_v6) chosen[!*call.only_v6] = false;
    return chosen;
}

// What a tracker says is logged and shown, and some repeat the passkey that they were asked with.
void hide_secrets(AnnounceResult& result, Url const& tracker) {
    if (result) {
        result->warning = without_secrets(std::move(result->warning), tracker);
        return;
    }
    auto failure = result.error();
    failure.what = without_secrets(std::move(failure.what), tracker);
    result = std::move(failure);
}

// Stores its result instead of giving it, so that two of them can run side by side.
asio::awaitable<void> announce_over(AnnounceCall const& call, Url const& tracker, AnnounceRequest request,
                                    Targets const& targets, bool v6, AnnounceOutcome& outcome) {
    request.event = call.events[v6];
    request.port = call.ports[v6];
    if (request.event == AnnounceEvent::stopped) request.num_want = 0;
    AnnounceResult result = AnnounceFailure();
    if (tracker.scheme == "udp") {
        auto endpoints = endpoints_of(targets.addresses, v6, tracker.port);
        result = co_await call.udp.announce(std::move(endpoints), tracker.target, std::move(request), call.urgent);
    } else {
        result = co_await http_announce(call.http, tracker, std::move(request), v6, call.trusted);
    }
    hide_secrets(result, tracker);
    if (result && call.heard) call.heard(*result);
    outcome.families[v6] = std::move(result);
}

asio::awaitable<void> both(asio::awaitable<void> first, asio::awaitable<void> second) {
    auto const executor = co_await asio::this_coro::executor;
    auto group = asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(first), asio::deferred),
                                                         asio::co_spawn(executor, std::move(second), asio::deferred));
    auto wait = group.async_wait(asio::experimental::wait_for_all(), asio::deferred);
    auto [order, first_failure, second_failure] = co_await std::move(wait)(asio::use_awaitable);
    if (first_failure) std::rethrow_exception(first_failure);
    if (second_failure) std::rethrow_exception(second_failure);
}

std::optional<std::chrono::seconds> longer(std::optional<std::chrono::seconds> a,
                                           std::optional<std::chrono::seconds> b) {
    return a && b ? std::max(*a, *b) : a ? a : b;
}

AnnounceResult combine(AnnounceResult a, AnnounceResult const& b) {
    if (!a && !b) {
        auto failure = a.error();
        failure.reached = failure.reached || b.error().reached;
        failure.never = failure.never && b.error().never;
        failure.retry_in = longer(failure.retry_in, b.error().retry_in);
        return failure;
    }
    if (!a) return b;
    if (!b) return a;
    auto both_said = *a;
    auto const& other = *b;
    both_said.peers.insert(both_said.peers.end(), other.peers.begin(), other.peers.end());
    both_said.interval = longer(both_said.interval, other.interval);
    both_said.min_interval = longer(both_said.min_interval, other.min_interval);
    if (both_said.warning.empty()) both_said.warning = other.warning;
    if (both_said.tracker_id.empty()) both_said.tracker_id = other.tracker_id;
    if (!both_said.counts.seeders) both_said.counts = other.counts;
    return both_said;
}

}  // namespace

asio::awaitable<AnnounceOutcome> announce_to_tracker(AnnounceCall const& call, Url const& tracker,
                                                     AnnounceRequest request) {
    AnnounceOutcome outcome;
    auto const targets = co_await find_targets(call, tracker);
    if (targets.addresses.empty()) {
        outcome.all = targets.failure;
        co_return outcome;
    }
    auto const chosen = choose_families(call, targets.addresses);
    if (!chosen[false] && !chosen[true]) {
        AnnounceFailure failure{tracker.host + " can no longer be reached over IPv" + (*call.only_v6 ? "6" : "4"),
                                false};
        outcome.all = std::move(failure);
        co_return outcome;
    }
    auto over_v4 = announce_over(call, tracker, request, targets, false, outcome);
    auto over_v6 = announce_over(call, tracker, request, targets, true, outcome);
    if (chosen[false] && chosen[true])
        co_await both(std::move(over_v4), std::move(over_v6));
    else if (chosen[false])
        co_await std::move(over_v4);
    else
        co_await std::move(over_v6);
    auto const& [v4, v6] = outcome.families;
    outcome.all = v4 && v6 ? combine(*v4, *v6) : v4 ? *v4 : *v6;
    co_return outcome;
}

namespace {

asio::awaitable<ScrapeReply> ask_for_counts(AnnounceCall const& call, Url const& tracker, InfoHash info_hash) {
    if (tracker.scheme != "udp") co_return co_await http_scrape(call.http, tracker, info_hash, call.trusted);
    ScrapeReply reply;
    auto const targets = co_await find_targets(call, tracker);
    reply.failure = targets.failure.what;
    if (targets.addresses.empty()) co_return reply;
    auto const chosen = choose_families(call, targets.addresses);
    for (bool const v6 : {false, true}) {
        if (!chosen[v6]) continue;
        auto endpoints = endpoints_of(targets.addresses, v6, tracker.port);
        reply = co_await call.udp.scrape(std::move(endpoints), info_hash);
        if (reply.failure.empty()) break;
    }
    co_return reply;
}

}  // namespace

asio::awaitable<ScrapeReply> scrape_tracker(AnnounceCall const& call, Url const& tracker, InfoHash info_hash) {
    auto reply = co_await ask_for_counts(call, tracker, info_hash);
    reply.failure = without_secrets(std::move(reply.failure), tracker);
    co_return reply;
}

}  // namespace rqfs::torrent
