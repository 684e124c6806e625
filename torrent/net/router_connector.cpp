#include "torrent/net/router_connector.h"

#include "torrent/error.h"
#include "torrent/link_scope.h"
#include "torrent/net/endpoint_conversion.h"
#include "torrent/net/tcp_socket.h"
#include "torrent/timeout.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;
using boost::system::system_error;

RouterConnector::RouterConnector(Clock& clock, InterfaceBinding binding)
    : clock_(clock), binding_(std::move(binding)) {}

asio::awaitable<std::unique_ptr<StreamSocket>> RouterConnector::dial(Endpoint endpoint) {
    if (endpoint.address != without_link_scope(router_.address)) throw system_error(asio::error::access_denied);
    auto const own = to_tcp({router_.own, 0});
    auto const to = to_tcp({router_.address, endpoint.port});
    asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
    socket.open(own.protocol());
    if (auto const code = binding_.tie(socket.native_handle(), true)) throw system_error(code);
    socket.bind(own);
    co_await socket.async_connect(to, asio::use_awaitable);
    co_return std::make_unique<TcpSocket>(std::move(socket));
}

asio::awaitable<std::unique_ptr<StreamSocket>> RouterConnector::connect(Endpoint endpoint, Duration limit) {
    boost::system::error_code code;
    try {
        auto dialling = dial(endpoint);
        co_return co_await with_timeout(clock_, std::move(dialling), limit, std::string());
    } catch (system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        code =
            e.code() == make_error_code(Errc::timed_out) ? boost::system::error_code(asio::error::timed_out) : e.code();
    }
    throw system_error(code, "cannot connect to the router " + endpoint.text());
}

}  // namespace rqfs::torrent
