#include "torrent/net/port_mapping.h"

#include "torrent/error.h"
#include "torrent/hash.h"
#include "torrent/log.h"
#include "torrent/net/address_policy.h"
#include "torrent/timeout.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;
using boost::system::system_error;

namespace {

// Of those that nobody has by registration (RFC 6335).
std::uint16_t random_port() {
    constexpr std::uint16_t first = 49'152;
    std::uint16_t number = 0;
    fill_random(std::as_writable_bytes(std::span(&number, 1)));
    return static_cast<std::uint16_t>(first + number % (65'536 - first));
}

}  // namespace

PortMapping::PortMapping(asio::any_io_executor const& executor, Clock& clock, std::unique_ptr<RouterFinder> finder,
                         Mappers mappers, std::uint16_t port, Owner& owner, PortMappingTimes times)
    : clock_(clock),
      finder_(std::move(finder)),
      mappers_(std::move(mappers)),
      port_(port),
      owner_(owner),
      schedule_(port, mappers_.size(), clock.now(), times),
      announced_(port),
      tasks_(executor, "port mapping") {}

void PortMapping::start() { tasks_.spawn(keep()); }

asio::awaitable<void> PortMapping::keep() {
    for (;;) {
        auto const now = clock_.now();
        auto const step = schedule_.due(now);
        publish();
        if (step) {
            co_await perform(*step);
        } else {
            co_await clock_.wait_until(std::min(schedule_.next(), now + kLook));
            co_await look();
        }
    }
}

// Whatever it says, the router is not to be trusted with more than the log.
asio::awaitable<void> PortMapping::perform(Step step) {
    under_way_ = step;
    std::optional<std::string> failure;
    try {
        auto taking = take(step);
        co_await with_timeout(clock_, std::move(taking), kStepTime,
                              "the router is too slow with " + std::string(mappers_[step.mapper]->name()));
    } catch (system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        failure = sentence(e);
    }
    under_way_.reset();
    if (!failure) co_return;
    log().debug("port mapping failed by={} error={}", mappers_[step.mapper]->name(), *failure);
    schedule_.failed(std::move(*failure), clock_.now());
}

asio::awaitable<void> PortMapping::take(Step step) {
    auto& mapper = *mappers_[step.mapper];
    switch (step.kind) {
        case Step::Kind::open: co_await open(step.mapper); break;
        case Step::Kind::map: {
            auto const answer = co_await mapper.map(step.request);
            schedule_.answered(answer, random_port(), clock_.now());
            break;
        }
        case Step::Kind::check: co_await check(step); break;
        case Step::Kind::unmap:
            co_await mapper.unmap(step.request);
            schedule_.unmapped();
            break;
    }
}

asio::awaitable<void> PortMapping::open(std::size_t mapper) {
    auto const router = co_await finder_->find();
    if (router_ && *router_ != router) {
        router_ = router;
        external_.reset();
        schedule_.start_anew(clock_.now());
        co_return;
    }
    router_ = router;
    if (!router.own.is_v6() && !is_local(router.own))
        throw_error(Errc::unsupported, "no port needs to be mapped: this machine's own address " + router.own.text() +
                                           " is one of the internet");
    auto const external = co_await mappers_[mapper]->open(router);
    schedule_.opened();
    external_ = external;
    if (external_ && !router.own.is_v6()) owner_.router_says_we_are(*external_);
}

asio::awaitable<void> PortMapping::check(Step step) {
    auto& mapper = *mappers_[step.mapper];
    auto const state = co_await mapper.ask_after(step.request);
    if (!state.kept) log().debug("the router has lost the port by={}", mapper.name());
    schedule_.checked(state.kept, clock_.now());
    if (!state.external || state.external == external_) co_return;
    external_ = state.external;
    owner_.router_says_we_are(*external_);
}

// Another router, or none where there was one.
asio::awaitable<void> PortMapping::look() {
    std::optional<Router> now;
    try {
        now = co_await finder_->find();
    } catch (system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
    }
    if (now == router_) co_return;
    router_ = now;
    external_.reset();
    schedule_.start_anew(clock_.now());
}

void PortMapping::publish() {
    auto const mapping = schedule_.mapping(clock_.now());
    auto const port = mapping ? mapping->external_port : port_;
    if (mapping.has_value() != mapped_) {
        mapped_ = mapping.has_value();
        if (mapped_)
            log().info("port mapped by={} external={}", mappers_[mapping->mapper]->name(),
                       Endpoint{external_.value_or(Address()), port}.text());
        else
            log().info("port no longer mapped");
    }
    if (port == announced_) return;
    announced_ = port;
    owner_.announced_port_is(port);
}

asio::awaitable<void> PortMapping::stop() {
    co_await tasks_.stop();
    auto steps = schedule_.removals();
    // The router may have heard what we did not wait for.
    if (under_way_ && under_way_->kind == Step::Kind::map) steps.push_back(*under_way_);
    under_way_.reset();
    if (steps.empty()) co_return;
    try {
        auto removing = remove(std::move(steps));
        co_await with_timeout(clock_, std::move(removing), kRemovalTime, "the router does not answer");
    } catch (system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        log().debug("a port stays mapped in the router error={}", sentence(e));
    }
}

asio::awaitable<void> PortMapping::remove(std::vector<Step> steps) {
    for (auto const& step : steps) {
        try {
            co_await mappers_[step.mapper]->unmap(step.request);
        } catch (system_error const& e) {
            if (e.code() == asio::error::operation_aborted) throw;
            log().debug("a port stays mapped in the router error={}", sentence(e));
        }
    }
}

PortMappingStatus PortMapping::status() const {
    auto const now = clock_.now();
    PortMappingStatus status;
    auto const mapping = schedule_.mapping(now);
    status.state = mapping ? "mapped" : schedule_.trying(now) ? "searching" : "failed";
    status.message = schedule_.failure();
    if (!mapping) return status;
    status.method = mappers_[mapping->mapper]->name();
    status.external = external_;
    status.external_port = mapping->external_port;
    status.renewed = std::chrono::duration_cast<std::chrono::seconds>(now - mapping->renewed);
    if (mapping->expires) status.expires = std::chrono::ceil<std::chrono::seconds>(*mapping->expires - now);
    if (external_ && is_local(*external_))
        status.message = "the router's own address " + external_->text() +
                         " is a private one: it is behind another router, which lets nobody in";
    return status;
}

}  // namespace rqfs::torrent
