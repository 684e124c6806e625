#include "tests/fuzz/udp/shared_udp.h"

#include "tests/fuzz/require.h"

#include <utility>

namespace rqfs::tests {

using namespace torrent;

SharedUdp::SharedUdp(std::vector<Endpoint> local)
    : local_(std::move(local)), lines_{Line(*this, UdpUser::tracker), Line(*this, UdpUser::dht)} {}

SharedUdp::Delivery SharedUdp::deliver(Endpoint const& from, std::string const& bytes) {
    Delivery delivery;
    delivery_ = &delivery;
    bool const taken = receivers_.deliver(from, std::as_bytes(std::span(bytes)));
    delivery_ = nullptr;
    require(taken == delivery.taken.has_value(), "the socket knows whether somebody took a datagram");
    return delivery;
}

void SharedUdp::Line::send(Endpoint const& to, std::span<std::byte const> bytes) {
    Sent const sent{user_, to, std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size())};
    if (shared_.delivery_ != nullptr) shared_.delivery_->sent.push_back(sent);
    shared_.on_send(sent);
}

void SharedUdp::Line::add(UdpSocket::Receiver& receiver) {
    require(receiver_ == nullptr, "each user hears a datagram once");
    receiver_ = &receiver;
    shared_.receivers_.add(*this);
}

void SharedUdp::Line::remove(UdpSocket::Receiver& receiver) {
    require(receiver_ == &receiver, "only who listens stops to");
    receiver_ = nullptr;
    shared_.receivers_.remove(*this);
}

bool SharedUdp::Line::datagram(Endpoint const& from, std::span<std::byte const> bytes) {
    auto& delivery = *shared_.delivery_;
    require(!delivery.taken, "nobody is offered what another has taken");
    delivery.offered.push_back(user_);
    if (!receiver_->datagram(from, bytes)) return false;
    delivery.taken = user_;
    return true;
}

}  // namespace rqfs::tests
