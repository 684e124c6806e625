#include "torrent/net/datagram_receivers.h"

#include <algorithm>

namespace rqfs::torrent {

void DatagramReceivers::remove(UdpSocket::Receiver& receiver) {
    if (delivering_)
        std::replace(receivers_.begin(), receivers_.end(), &receiver, static_cast<UdpSocket::Receiver*>(nullptr));
    else
        std::erase(receivers_, &receiver);
}

bool DatagramReceivers::deliver(Endpoint const& from, std::span<std::byte const> bytes) {
    delivering_ = true;
    bool taken = false;
    for (std::size_t i = 0; i < receivers_.size() && !taken; ++i)
        taken = receivers_[i] != nullptr && receivers_[i]->datagram(from, bytes);
    delivering_ = false;
    std::erase(receivers_, nullptr);
    return taken;
}

}  // namespace rqfs::torrent
