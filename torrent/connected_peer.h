#pragma once

#include "torrent/connection_budget.h"
#include "torrent/endpoint.h"
#include "torrent/peer/peer_connection.h"
#include "torrent/swarm/peer_source.h"
#include "torrent/units.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace rqfs::torrent {

// A connection and what Connections remembers of it.
struct ConnectedPeer {
    std::unique_ptr<PeerConnection> connection;
    Endpoint listed;  // as the peer list knows it
    PeerSource source{};
    ConnectionBudget::Slot slot;
    bool in_picker = false;
    bool twin_told = false;  // it has named its address in the other family
    bool needless = false;  // we left it for want of anything to exchange
    bool replaced = false;  // we left it because others wait for its place
    TimePoint last_interesting{};  // when it last had something that is wanted
    TimePoint last_wanted{};       // the same as the turnover sees it, in steps of seconds
    TimePoint last_gave{};         // a block, as the turnover sees it
    std::uint64_t downloaded_at_turnover = 0;
    std::optional<TimePoint> unchokes_us_since;
    std::optional<TimePoint> unchoked_since;
    std::optional<TimePoint> last_unchoked;
    std::uint64_t uploaded_at_unchoke = 0;
    std::uint64_t downloaded_at_round = 0;
};

}  // namespace rqfs::torrent
