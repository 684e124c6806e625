#include "torrent/net/tcp_socket.h"

#include "torrent/net/endpoint_conversion.h"

#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <fcntl.h>
#include <netinet/tcp.h>

#include <utility>
#include <vector>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

// Enough to keep a fast line busy between two turns of the loop; more only delays what becomes urgent.
constexpr int kUnsentBytes = 128 << 10;

// A sender faster than we are must not keep the engine from everybody else: a turn ends after this many full buffers.
constexpr std::uint32_t kReadsInARow = 4;

// The buffers that are left after the first `done` bytes.
std::vector<asio::const_buffer> rest_of(std::span<asio::const_buffer const> buffers, std::size_t done) {
    std::vector<asio::const_buffer> rest;
    rest.reserve(buffers.size());
    for (auto const& buffer : buffers) {
        if (done >= buffer.size()) {
            done -= buffer.size();
            continue;
        }
        rest.push_back(buffer + done);
        done = 0;
    }
    return rest;
}

}  // namespace

TcpSocket::TcpSocket(asio::ip::tcp::socket socket, std::shared_ptr<TcpConnections> connections)
    : socket_(std::move(socket)), connections_(std::move(connections)) {
    // None of these may fail the connection: where one does, the socket is dead already and the first read says so.
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT> const unsent(kUnsentBytes);
    socket_.set_option(unsent, ignored);
    ::fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);
    auto const local = socket_.local_endpoint(ignored);
    if (!ignored) local_ = from_asio(local);
    auto const remote = socket_.remote_endpoint(ignored);
    if (!ignored) remote_ = from_asio(remote);
    if (connections_) connections_->add(*this);
}

TcpSocket::~TcpSocket() {
    if (!connections_) return;
    connections_->remove(*this);
    connections_->let_go(socket_);
}

asio::awaitable<std::size_t> TcpSocket::read_some(asio::mutable_buffer buffer) {
    // Asio tries at once too but delivers through its queue; after a full buffer there is more to come, and the queue
    // can be spared.
    if (more_is_likely_ && reads_in_a_row_ < kReadsInARow) {
        boost::system::error_code code;
        auto const count = socket_.read_some(buffer, code);
        if (!code) {
            ++reads_in_a_row_;
            more_is_likely_ = count == buffer.size();
            co_return count;
        }
        if (code != asio::error::would_block) throw boost::system::system_error(code);
    }
    reads_in_a_row_ = 0;
    auto const count = co_await socket_.async_read_some(buffer, asio::use_awaitable);
    more_is_likely_ = count == buffer.size();
    co_return count;
}

asio::awaitable<void> TcpSocket::write(std::span<asio::const_buffer const> buffers) {
    boost::system::error_code code;
    auto const total = asio::buffer_size(buffers);
    auto const done = socket_.write_some(buffers, code);
    if (code && code != asio::error::would_block) throw boost::system::system_error(code);
    if (done == total) co_return;
    auto const rest = rest_of(buffers, done);
    std::span<asio::const_buffer const> const view(rest);
    co_await asio::async_write(socket_, view, asio::use_awaitable);
}

void TcpSocket::hang_up() {
    boost::system::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
}

void TcpSocket::close() {
    if (connections_) connections_->let_go(socket_);
    boost::system::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
}

}  // namespace rqfs::torrent
