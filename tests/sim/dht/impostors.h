#pragma once

#include "tests/sim/dht/dht_network.h"
#include "torrent/dht/compact_nodes.h"
#include "torrent/dht/node_id.h"
#include "torrent/endpoint.h"
#include "torrent/net/udp_socket.h"

#include <cstddef>
#include <functional>
#include <random>
#include <span>
#include <vector>

namespace rqfs::tests {

// Answers every query, and always with what serves an attacker: nodes near the target that do not exist or are
// accomplices, never a peer; announcements are thanked for and forgotten.
class Liar final : public torrent::UdpSocket::Receiver {
public:
    // `own`: its node's id, known once that runs; `accomplices`: told of too.
    Liar(torrent::UdpSocket& socket, std::function<torrent::NodeId()> own,
         std::vector<torrent::NodeContact> const& accomplices, std::uint32_t seed)
        : socket_(socket), own_(std::move(own)), accomplices_(accomplices), random_(seed) {}

    bool datagram(torrent::Endpoint const& from, std::span<std::byte const> bytes) override;

    // Makes itself known to a node, as every node may.
    void court(torrent::Endpoint const& to);

    bool invents = true;  // false: tells of its accomplices only
    bool names_nearest = false;  // of its accomplices; else any
    std::size_t asked = 0;

private:
    torrent::NodeContact invented(torrent::NodeId const& target);

    torrent::UdpSocket& socket_;
    std::function<torrent::NodeId()> own_;
    std::vector<torrent::NodeContact> const& accomplices_;
    std::mt19937 random_;
};

// Liars join the network one after the other, each with an id that is right for its address, and each knows them all.
void join_liars(DhtNetwork& network, std::size_t count, std::vector<torrent::NodeContact>& accomplices,
                bool invents = true);

}  // namespace rqfs::tests
