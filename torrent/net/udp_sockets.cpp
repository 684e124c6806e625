#include "torrent/net/udp_sockets.h"

#include "torrent/log.h"
#include "torrent/net/endpoint_conversion.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kBatch = 32;            // datagrams a system call
constexpr std::size_t kDatagramBytes = 8192;  // a tracker's reply with 400 IPv6 peers has 7,220
constexpr std::chrono::milliseconds kPauseAfterError{100};

Endpoint from_sockaddr(sockaddr_storage const& from, socklen_t bytes) {
    asio::ip::udp::endpoint endpoint;
    if (bytes > endpoint.capacity()) return {};
    std::memcpy(endpoint.data(), &from, bytes);
    endpoint.resize(bytes);
    return from_asio(endpoint);
}

}  // namespace

// Room for one receive; both families share it, because what it holds is delivered before anybody else runs.
struct UdpSockets::Batch {
    std::array<std::array<std::byte, kDatagramBytes>, kBatch> bytes;
    std::array<sockaddr_storage, kBatch> from;
    std::array<iovec, kBatch> parts;
    std::array<mmsghdr, kBatch> messages;

    // How many came; -1 with errno.
    int receive(int descriptor) {
        for (std::size_t i = 0; i < kBatch; ++i) {
            parts[i] = {bytes[i].data(), bytes[i].size()};
            messages[i] = {};
            messages[i].msg_hdr.msg_name = &from[i];
            messages[i].msg_hdr.msg_namelen = sizeof from[i];
            messages[i].msg_hdr.msg_iov = &parts[i];
            messages[i].msg_hdr.msg_iovlen = 1;
        }
        return ::recvmmsg(descriptor, messages.data(), static_cast<unsigned>(kBatch), MSG_DONTWAIT, nullptr);
    }
};

UdpSockets::UdpSockets(asio::any_io_executor const& executor, Clock& clock, std::vector<asio::ip::udp::socket> sockets)
    : clock_(clock), sockets_(std::move(sockets)), batch_(std::make_unique<Batch>()), tasks_(executor, "udp sockets") {
    for (auto const& socket : sockets_) {
        boost::system::error_code ignored;
        local_.push_back(from_asio(socket.local_endpoint(ignored)));
    }
}

UdpSockets::~UdpSockets() = default;

void UdpSockets::start() {
    for (auto& socket : sockets_) tasks_.spawn(receive(socket));
}

asio::awaitable<void> UdpSockets::stop() {
    for (auto& socket : sockets_) {
        boost::system::error_code ignored;
        socket.close(ignored);
    }
    co_await tasks_.stop();
}

void UdpSockets::send(Endpoint const& to, std::span<std::byte const> bytes) {
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
        if (local_[i].address.is_v6() != to.address.is_v6() || !sockets_[i].is_open()) continue;
        boost::system::error_code ignored;  // a full queue or no route: lost, like any datagram
        sockets_[i].send_to(asio::buffer(bytes.data(), bytes.size()), to_udp(to), 0, ignored);
        return;
    }
}

void UdpSockets::add(Receiver& receiver) { receivers_.push_back(&receiver); }

void UdpSockets::remove(Receiver& receiver) {
    if (delivering_)
        std::replace(receivers_.begin(), receivers_.end(), &receiver, static_cast<Receiver*>(nullptr));
    else
        std::erase(receivers_, &receiver);
}

asio::awaitable<void> UdpSockets::receive(asio::ip::udp::socket& socket) {
    while (socket.is_open()) {
        boost::system::error_code code;
        co_await socket.async_wait(asio::socket_base::wait_read, asio::redirect_error(asio::use_awaitable, code));
        if (code == asio::error::operation_aborted || !socket.is_open()) co_return;
        auto const count = batch_->receive(socket.native_handle());
        for (int i = 0; i < count; ++i) {
            auto const& message = batch_->messages[static_cast<std::size_t>(i)];
            auto const from = from_sockaddr(batch_->from[static_cast<std::size_t>(i)], message.msg_hdr.msg_namelen);
            deliver(from, {batch_->bytes[static_cast<std::size_t>(i)].data(), message.msg_len});
        }
        if (count >= 0 || errno == EAGAIN || errno == EINTR) continue;
        log().debug("receiving datagrams pauses error={}", std::strerror(errno));
        co_await clock_.sleep(kPauseAfterError);
    }
}

void UdpSockets::deliver(Endpoint const& from, std::span<std::byte const> bytes) {
    delivering_ = true;
    for (std::size_t i = 0; i < receivers_.size(); ++i)
        if (receivers_[i] && receivers_[i]->datagram(from, bytes)) break;
    delivering_ = false;
    std::erase(receivers_, nullptr);
}

}  // namespace rqfs::torrent
