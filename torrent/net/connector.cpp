#include "torrent/net/connector.h"

#include "torrent/net/endpoint_conversion.h"
#include "torrent/net/tcp_socket.h"
#include "torrent/timeout.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <string>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

asio::awaitable<std::unique_ptr<StreamSocket>> dial(Endpoint endpoint) {
    asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
    auto const to = to_tcp(endpoint);
    co_await socket.async_connect(to, asio::use_awaitable);
    co_return std::make_unique<TcpSocket>(std::move(socket));
}

}  // namespace

asio::awaitable<std::unique_ptr<StreamSocket>> TcpConnector::connect(Endpoint endpoint, Duration limit) {
    boost::system::error_code code;
    try {
        auto dialling = dial(endpoint);
        co_return co_await with_timeout(clock_, std::move(dialling), limit, std::string());
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        code =
            e.code() == make_error_code(Errc::timed_out) ? boost::system::error_code(asio::error::timed_out) : e.code();
    }
    throw boost::system::system_error(code, "cannot connect to " + endpoint.text());
}

}  // namespace rqfs::torrent
