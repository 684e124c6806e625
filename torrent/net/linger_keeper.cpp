#include "torrent/net/linger_keeper.h"

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kLook{50};

}  // namespace

LingerKeeper::LingerKeeper(asio::any_io_executor const& executor, Clock& clock)
    : clock_(clock), tasks_(executor, "lingering connections") {}

void LingerKeeper::take(asio::ip::tcp::socket& socket) {
    if (stopped_ || !socket.is_open()) return;
    boost::system::error_code code;
    int const descriptor = socket.release(code);
    if (code) return;
    sockets_.add(descriptor, clock_.now());
    if (keeping_ || sockets_.size() == 0) return;
    keeping_ = true;
    tasks_.spawn(keep());
}

asio::awaitable<void> LingerKeeper::keep() {
    while (sockets_.size() > 0) {
        co_await clock_.sleep(kLook);
        sockets_.look(clock_.now());
    }
    keeping_ = false;
}

asio::awaitable<void> LingerKeeper::wait_until_empty(TimePoint until) {
    try {
        while (sockets_.size() > 0 && clock_.now() < until) co_await clock_.sleep(kLook);
    } catch (boost::system::system_error const& e) {
        if (e.code() != asio::error::operation_aborted) throw;
    }
}

asio::awaitable<void> LingerKeeper::stop() {
    co_await wait_until_empty(clock_.now() + limit::kLingerAtStop);
    stopped_ = true;
    sockets_.close_all();
    co_await tasks_.stop();
}

}  // namespace rqfs::torrent
