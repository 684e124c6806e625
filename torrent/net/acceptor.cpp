#include "torrent/net/acceptor.h"

#include "torrent/net/tcp_socket.h"

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

TcpAcceptor::TcpAcceptor(asio::ip::tcp::acceptor acceptor, Endpoint const& local,
                         std::shared_ptr<TcpConnections> connections)
    : acceptor_(std::move(acceptor)),
      connections_(std::move(connections)),
      replaced_(acceptor_.get_executor()),
      local_(local) {}

asio::awaitable<std::unique_ptr<StreamSocket>> TcpAcceptor::accept() {
    while (!closed_) {
        if (!acceptor_.is_open()) {
            co_await replaced_.wait();
            continue;
        }
        auto const before = replacements_;
        boost::system::error_code code;
        auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, code));
        if (!code) co_return std::make_unique<TcpSocket>(std::move(socket), connections_);
        if (!closed_ && replacements_ == before) throw boost::system::system_error(code);
    }
    throw boost::system::system_error(asio::error::operation_aborted);
}

void TcpAcceptor::replace(asio::ip::tcp::acceptor acceptor) {
    if (closed_) return;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    acceptor_ = std::move(acceptor);
    ++replacements_;
    replaced_.notify();
}

void TcpAcceptor::close() {
    closed_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    replaced_.notify();
}

}  // namespace rqfs::torrent
