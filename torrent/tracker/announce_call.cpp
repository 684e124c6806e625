#include "torrent/tracker/announce_call.h"

#include "torrent/net/address_policy.h"
#include "torrent/settings.h"
#include "torrent/tracker/http_tracker.h"

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
    std::erase_if(targets.addresses, [&](auto const& address) { return !may_fetch_from(address, call.test_network); });
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

// The first of its family: one is enough, and UDP has no connect that would tell which of them lives.
Endpoint first_of(std::vector<Address> const& addresses, bool v6, std::uint16_t port) {
    auto const found =
        std::find_if(addresses.begin(), addresses.end(), [v6](auto const& address) { return address.is_v6() == v6; });
    return {*found, port};
}

// Stores its result instead of giving it, so that two of them can run side by side.
asio::awaitable<void> announce_over(AnnounceCall const& call, Url const& tracker, AnnounceRequest const& request,
                                    Targets const& targets, bool v6, AnnounceResult& result) {
    if (tracker.scheme == "udp")
        result = co_await call.udp.announce(first_of(targets.addresses, v6, tracker.port), tracker.target, request,
                                            call.urgent);
    else
        result = co_await http_announce(call.http, tracker, request, v6);
    if (result && call.heard) call.heard(*result);
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

asio::awaitable<AnnounceResult> announce_to_tracker(AnnounceCall const& call, Url const& tracker,
                                                    AnnounceRequest request) {
    auto const targets = co_await find_targets(call, tracker);
    if (targets.addresses.empty()) co_return targets.failure;
    bool v4 = has_family(targets.addresses, false);
    bool v6 = has_family(targets.addresses, true);
    if (v4 && v6 && !call.local.empty()) {  // a tracker with one family is asked over it, whatever we listen on
        v4 = listens_on(call.local, false);
        v6 = listens_on(call.local, true);
    }
    AnnounceResult first = AnnounceFailure();
    AnnounceResult second = AnnounceFailure();
    auto over_v4 = announce_over(call, tracker, request, targets, false, first);
    auto over_v6 = announce_over(call, tracker, request, targets, true, second);
    if (v4 && v6)
        co_await both(std::move(over_v4), std::move(over_v6));
    else if (v4)
        co_await std::move(over_v4);
    else
        co_await std::move(over_v6);
    if (v4 && v6) co_return combine(std::move(first), second);
    co_return v4 ? std::move(first) : std::move(second);
}

asio::awaitable<std::optional<ScrapeResult>> scrape_tracker(AnnounceCall const& call, Url const& tracker,
                                                            InfoHash info_hash) {
    if (tracker.scheme != "udp") co_return co_await http_scrape(call.http, tracker, info_hash);
    auto const targets = co_await find_targets(call, tracker);
    if (targets.addresses.empty()) co_return std::nullopt;
    bool const v6 = !has_family(targets.addresses, false);
    auto const to = first_of(targets.addresses, v6, tracker.port);
    co_return co_await call.udp.scrape(to, info_hash);
}

}  // namespace rqfs::torrent
