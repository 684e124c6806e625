#include "torrent/net/udp_descriptor.h"

#include "torrent/net/endpoint_conversion.h"

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

UdpDescriptor::UdpDescriptor(asio::ip::udp::socket socket) : watch_(socket.get_executor()) {
    if (socket.is_open()) descriptor_ = socket.release();
}

void UdpDescriptor::close() {
    look_away();
    if (is_open()) ::close(std::exchange(descriptor_, -1));
}

void UdpDescriptor::look_away() {
    if (watch_.is_open()) watch_.release();
}

asio::awaitable<boost::system::error_code> UdpDescriptor::readable() {
    boost::system::error_code code;
    if (!is_open()) code = asio::error::operation_aborted;
    if (!code && !watch_.is_open()) watch_.assign(descriptor_, code);
    if (code) co_return code;
    co_await watch_.async_wait(asio::posix::descriptor_base::wait_read,
                               asio::redirect_error(asio::use_awaitable, code));
    co_return is_open() ? code : asio::error::operation_aborted;
}

void UdpDescriptor::send(Endpoint const& to, std::span<std::byte const> bytes, PacketInfo const& source) {
    if (!is_open()) return;
    auto there = to_udp(to);
    iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};  // which sending only reads
    PacketControl control;
    msghdr message{};
    message.msg_name = there.data();
    message.msg_namelen = static_cast<socklen_t>(there.size());
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    send_from(source, message, control);
    // A full queue or no route: lost, like any datagram.
    (void)::sendmsg(descriptor_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace rqfs::torrent
