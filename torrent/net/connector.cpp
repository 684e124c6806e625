#include "torrent/net/connector.h"

#include "torrent/net/endpoint_conversion.h"
#include "torrent/net/tcp_socket.h"
#include "torrent/timeout.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kLookAgain{250};  // whether the interface is back

}  // namespace

TcpConnector::TcpConnector(Clock& clock, InterfaceBinding binding, std::shared_ptr<TcpConnections> connections)
    : clock_(clock), binding_(std::move(binding)), connections_(std::move(connections)) {}

namespace {

// A dial that is given up may be answered yet.
struct Dialling {
    asio::ip::tcp::socket socket;
    std::shared_ptr<TcpConnections> connections;

    Dialling(asio::any_io_executor const& executor, std::shared_ptr<TcpConnections> of)
        : socket(executor), connections(std::move(of)) {}
    Dialling(Dialling const&) = delete;
    Dialling& operator=(Dialling const&) = delete;
    ~Dialling() {
        if (connections) connections->let_go(socket);
    }
};

}  // namespace

asio::awaitable<std::unique_ptr<StreamSocket>> TcpConnector::dial(Endpoint endpoint) {
    auto const to = to_tcp(endpoint);
    auto const executor = co_await asio::this_coro::executor;
    Dialling dialling(executor, connections_);
    auto& socket = dialling.socket;
    for (;;) {
        socket.open(to.protocol());
        auto const code = binding_.tie_outgoing(socket.native_handle(), endpoint.address.is_v6());
        if (!code) break;
        if (code != asio::error::network_down) throw boost::system::system_error(code);
        socket.close();
        co_await clock_.sleep(kLookAgain);
    }
    co_await socket.async_connect(to, asio::use_awaitable);
    co_return std::make_unique<TcpSocket>(std::move(socket), connections_);
}

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
    if (code == asio::error::timed_out && !binding_.none() && binding_.now().index == 0)
        code = asio::error::network_down;
    auto const through = binding_.none() ? std::string() : " through " + binding_.text();
    throw boost::system::system_error(code, "cannot connect to " + endpoint.text() + through);
}

}  // namespace rqfs::torrent
