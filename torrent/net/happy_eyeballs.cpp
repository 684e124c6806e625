#include "torrent/net/happy_eyeballs.h"

#include "torrent/event.h"
#include "torrent/timeout.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cassert>
#include <exception>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

using Socket = std::unique_ptr<StreamSocket>;

// Of one attempt, which another waits for.
struct Failure {
    explicit Failure(asio::any_io_executor const& executor) : event(executor) {}
    Event event;
    bool happened = false;
};

class Attempts {
public:
    Attempts(Clock& clock, Connector& connector, std::vector<Endpoint> endpoints, Duration limit)
        : clock_(clock), connector_(connector), endpoints_(std::move(endpoints)), limit_(limit) {}

    // A connection to this endpoint or one after it.
    asio::awaitable<Socket> from(std::size_t index) {
        if (index + 1 == endpoints_.size()) co_return co_await connector_.connect(endpoints_[index], limit_);
        auto const executor = co_await asio::this_coro::executor;
        Failure failed(executor);
        auto group =
            asio::experimental::make_parallel_group(asio::co_spawn(executor, dial(index, failed), asio::deferred),
                                                    asio::co_spawn(executor, later(index + 1, failed), asio::deferred));
        auto wait = group.async_wait(asio::experimental::wait_for_one_success(), asio::deferred);
        auto [order, failure, socket, later_failure, later_socket] = co_await std::move(wait)(asio::use_awaitable);
        bool const first = !failure && (later_failure || order[0] == 0);
        if (first) co_return std::move(socket);
        if (!later_failure) co_return std::move(later_socket);
        std::rethrow_exception(order[0] == 0 ? later_failure : failure);
    }

private:
    asio::awaitable<Socket> dial(std::size_t index, Failure& failed) {
        std::exception_ptr failure;
        try {
            co_return co_await connector_.connect(endpoints_[index], limit_);
        } catch (...) {
            failure = std::current_exception();
        }
        failed.happened = true;
        failed.event.notify();
        std::rethrow_exception(failure);
    }

    asio::awaitable<Socket> later(std::size_t index, Failure& failed_before) {
        if (!failed_before.happened) co_await wait_at_most(clock_, failed_before.event, kNextAddressAfter);
        co_return co_await from(index);
    }

    Clock& clock_;
    Connector& connector_;
    std::vector<Endpoint> endpoints_;
    Duration limit_;
};

}  // namespace

std::vector<Endpoint> in_dialling_order(std::vector<Endpoint> const& endpoints) {
    if (endpoints.empty()) return {};
    bool const first_v6 = endpoints.front().address.is_v6();
    std::vector<Endpoint> first, second, order;
    for (auto const& each : endpoints) (each.address.is_v6() == first_v6 ? first : second).push_back(each);
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size()) order.push_back(first[i]);
        if (i < second.size()) order.push_back(second[i]);
    }
    return order;
}

asio::awaitable<Socket> connect_to_any(Clock& clock, Connector& connector, std::vector<Endpoint> endpoints,
                                       Duration limit) {
    assert(!endpoints.empty());
    if (endpoints.size() > kAddressesTried) endpoints.resize(kAddressesTried);
    Attempts attempts(clock, connector, std::move(endpoints), limit);
    co_return co_await attempts.from(0);
}

}  // namespace rqfs::torrent
