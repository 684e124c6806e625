#include "torrent/admission.h"

#include "torrent/address_network.h"

#include <algorithm>

namespace rqfs::torrent {

namespace {

bool is_one_party(Address const& one, Address const& other, bool whole_network) {
    return whole_network ? household_of(one) == household_of(other) : one == other;
}

}  // namespace

std::size_t from_one_party(ConnectedPeers const& peers, Address const& address, bool whole_network) {
    auto const count = std::count_if(peers.begin(), peers.end(), [&](auto const& each) {
        auto const& connection = *each.second.connection;
        return connection.reason().empty() && is_one_party(connection.remote().address, address, whole_network);
    });
    return static_cast<std::size_t>(count);
}

SecondConnection second_connection(ConnectedPeers const& peers, Newcomer const& newcomer, PeerId const& ours,
                                   TimePoint now) {
    for (auto const& [handle, peer] : peers) {
        auto& other = *peer.connection;
        if (other.handshake().peer_id != newcomer.theirs.peer_id || !other.reason().empty()) continue;
        bool const ours_wins = ours > newcomer.theirs.peer_id;
        bool const same_direction = other.incoming() == newcomer.incoming;
        bool const credible = other.remote().address == newcomer.address || now - other.connected_since() < kDoubleDial;
        if (same_direction || newcomer.incoming == ours_wins || !credible) return {true, nullptr};
        return {false, &other};
    }
    return {};
}

}  // namespace rqfs::torrent
