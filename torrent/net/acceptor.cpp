#include "torrent/net/acceptor.h"

#include "torrent/net/endpoint_conversion.h"
#include "torrent/net/tcp_socket.h"

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

TcpAcceptor::TcpAcceptor(asio::ip::tcp::acceptor acceptor) : acceptor_(std::move(acceptor)) {
    boost::system::error_code ignored;
    local_ = from_asio(acceptor_.local_endpoint(ignored));
}

asio::awaitable<std::unique_ptr<StreamSocket>> TcpAcceptor::accept() {
    boost::system::error_code code = asio::error::operation_aborted;
    if (!acceptor_.is_open()) throw boost::system::system_error(code);
    auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, code));
    if (code == asio::error::bad_descriptor) code = asio::error::operation_aborted;
    if (code) throw boost::system::system_error(code);
    co_return std::make_unique<TcpSocket>(std::move(socket));
}

void TcpAcceptor::close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
}

}  // namespace rqfs::torrent
