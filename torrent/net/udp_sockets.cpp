#include "torrent/net/udp_sockets.h"

#include "torrent/log.h"
#include "torrent/net/address_policy.h"
#include "torrent/net/endpoint_conversion.h"

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

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
constexpr std::size_t kBatchesATurn = 16;     // 512 datagrams that nobody takes cost 0.7 ms (measured)
constexpr std::chrono::milliseconds kPauseAfterError{100};
// After a turn that was mostly refused nobody looks for a while: being woken for each datagram costs more than the
// datagrams. The receive buffer holds 10 ms of a flood of 50,000 a second; what is more than 128,000 a second the
// kernel drops for us.
constexpr std::chrono::milliseconds kPauseInFlood{4};

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
    std::array<PacketControl, kBatch> controls;
    std::array<mmsghdr, kBatch> messages;

    Batch() {
        for (std::size_t i = 0; i < kBatch; ++i) {
            parts[i] = {bytes[i].data(), bytes[i].size()};
            messages[i] = {};
            messages[i].msg_hdr.msg_name = &from[i];
            messages[i].msg_hdr.msg_iov = &parts[i];
            messages[i].msg_hdr.msg_iovlen = 1;
        }
    }

    // How many came; -1 with errno.
    int receive(int descriptor) {
        for (std::size_t i = 0; i < kBatch; ++i) {
            auto& header = messages[i].msg_hdr;
            header.msg_namelen = sizeof(sockaddr_storage);
            header.msg_control = controls[i].bytes.data();
            header.msg_controllen = controls[i].bytes.size();
        }
        return ::recvmmsg(descriptor, messages.data(), static_cast<unsigned>(kBatch), MSG_DONTWAIT, nullptr);
    }
};

namespace {

std::vector<Endpoint> addresses_of(std::vector<asio::ip::udp::socket> const& sockets) {
    std::vector<Endpoint> all;
    for (auto const& socket : sockets) {
        boost::system::error_code ignored;
        all.push_back(from_asio(socket.local_endpoint(ignored)));
    }
    return all;
}

}  // namespace

UdpSockets::UdpSockets(asio::any_io_executor const& executor, Clock& clock, std::vector<asio::ip::udp::socket> sockets,
                       std::vector<Endpoint> local)
    : clock_(clock), local_(std::move(local)), batch_(std::make_unique<Batch>()), tasks_(executor, "udp sockets") {
    for (auto& socket : sockets) sockets_.push_back(std::make_shared<UdpDescriptor>(std::move(socket)));
}

UdpSockets::UdpSockets(asio::any_io_executor const& executor, Clock& clock, std::vector<asio::ip::udp::socket> sockets)
    : clock_(clock), local_(addresses_of(sockets)), batch_(std::make_unique<Batch>()), tasks_(executor, "udp sockets") {
    for (auto& socket : sockets) sockets_.push_back(std::make_shared<UdpDescriptor>(std::move(socket)));
}

UdpSockets::~UdpSockets() = default;

void UdpSockets::start() {
    running_ = true;
    for (auto const& socket : sockets_) start_receiving(socket);
}

void UdpSockets::start_receiving(Shared const& socket) {
    if (running_ && socket->is_open()) tasks_.spawn(receive(socket));
}

asio::awaitable<void> UdpSockets::stop() {
    running_ = false;
    for (auto const& socket : sockets_) socket->close();
    co_await tasks_.stop();
}

void UdpSockets::replace(std::size_t number, asio::ip::udp::socket socket) {
    sockets_[number]->close();
    sockets_[number] = std::make_shared<UdpDescriptor>(std::move(socket));
    start_receiving(sockets_[number]);
}

// What leaves from a loopback address reaches nobody beyond this machine: to others that is only better than nothing.
UdpDescriptor* UdpSockets::socket_to(Endpoint const& to) {
    if (answers(to)) return asked_;
    UdpDescriptor* other = nullptr;
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
        auto const& from = local_[i].address;
        if (from.is_v6() != to.address.is_v6() || !sockets_[i]->is_open()) continue;
        if (is_loopback(from) == is_loopback(to.address)) return sockets_[i].get();
        if (other == nullptr) other = sockets_[i].get();
    }
    return other;
}

// Who is answered while it asks hears from the address that it asked (BEP 45).
void UdpSockets::send(Endpoint const& to, std::span<std::byte const> bytes) {
    if (auto* const socket = socket_to(to)) socket->send(to, bytes, answers(to) ? asked_at_ : PacketInfo());
}

asio::awaitable<void> UdpSockets::receive(Shared socket) {
    while (socket->is_open()) {
        auto const code = co_await socket->readable();
        if (code == asio::error::operation_aborted) co_return;
        auto turn = code ? Turn() : take_turn(*socket);
        if (code) turn.failure = code.value();
        if (turn.failure != 0) {
            log().debug("receiving datagrams pauses error={}", std::strerror(turn.failure));
            co_await clock_.sleep(kPauseAfterError);
        } else if (turn.refused * 2 > turn.received) {
            socket->look_away();
            co_await clock_.sleep(kPauseInFlood);
        }
    }
}

// Everything that has come, but not so much that others wait long.
UdpSockets::Turn UdpSockets::take_turn(UdpDescriptor& socket) {
    Turn turn;
    for (std::size_t batch = 0; batch < kBatchesATurn && socket.is_open(); ++batch) {
        auto const count = batch_->receive(socket.native_handle());
        if (count < 0 && errno != EAGAIN && errno != EINTR) turn.failure = errno;
        for (int i = 0; i < count; ++i) {
            auto const& message = batch_->messages[static_cast<std::size_t>(i)];
            auto const from = from_sockaddr(batch_->from[static_cast<std::size_t>(i)], message.msg_hdr.msg_namelen);
            ++turn.received;
            asked_ = &socket;
            asked_at_ = source_of_answer(message.msg_hdr);
            asking_ = from;
            if (!receivers_.deliver(from, {batch_->bytes[static_cast<std::size_t>(i)].data(), message.msg_len}))
                ++turn.refused;
        }
        if (count < static_cast<int>(kBatch)) break;
    }
    return turn;
}

}  // namespace rqfs::torrent
