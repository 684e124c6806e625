#pragma once

#include "torrent/connected_peer.h"
#include "torrent/endpoint.h"
#include "torrent/peer/handshake.h"
#include "torrent/peer/peer_id.h"
#include "torrent/units.h"

#include <chrono>
#include <cstddef>
#include <map>

namespace rqfs::torrent {

// What the connections of a torrent say to one more that has shaken hands. Engine thread only.
using ConnectedPeers = std::map<PeerHandle, ConnectedPeer>;

// How many of them are one party's: at this address, or with `whole_network` in its /64 where that is IPv6, of which
// one host has as many addresses as it likes. Those that are closing do not count.
std::size_t from_one_party(ConnectedPeers const& peers, Address const& address, bool whole_network);

// A connection that has shaken hands.
struct Newcomer {
    Handshake const& theirs;
    Address address;
    bool incoming = false;
};

// What becomes of two connections to one peer id. A peer id is no secret: from elsewhere it proves nothing, and the
// connection that is there stays. When both sides dialled at once, both keep the one that the greater id dialled.
struct SecondConnection {
    bool refused = false;
    PeerConnection* replaced = nullptr;  // to be closed for the new one
};
SecondConnection second_connection(ConnectedPeers const& peers, Newcomer const& newcomer, PeerId const& ours,
                                   TimePoint now);

// Both sides dial at once: the second handshake ends at most this much later, be it from another address (a host with
// two), unless its first segments are lost again and again.
constexpr std::chrono::seconds kDoubleDial{5};

}  // namespace rqfs::torrent
