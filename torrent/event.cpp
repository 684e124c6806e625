#include "torrent/event.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace rqfs::torrent {

namespace asio = boost::asio;

Event::Event(asio::any_io_executor const& executor) : never_(executor, asio::steady_timer::time_point::max()) {}

void Event::notify() {
    ++notified_;
    never_.cancel();
}

asio::awaitable<void> Event::wait() {
    auto const before = notified_;
    boost::system::error_code code;
    co_await never_.async_wait(asio::redirect_error(asio::use_awaitable, code));
    if (notified_ == before) throw boost::system::system_error(asio::error::operation_aborted);
}

}  // namespace rqfs::torrent
