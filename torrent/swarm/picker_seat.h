#pragma once

#include "torrent/swarm/picker_peer.h"

#include <cstdint>
#include <limits>

namespace rqfs::torrent {

// A peer that may be asked, during one plan of PiecePicker: what it can take and how soon it would deliver.
struct PickerSeat {
    PickerPeer* peer = nullptr;
    double rate = 0;         // bytes a second
    double queued = 0;       // bytes it is expected to send before the next block
    std::uint32_t owed = 0;  // blocks of it that were withdrawn, but probably come
    std::uint32_t room = 0;  // further requests
    bool good = false;       // known, and neither late nor on parole
    bool reserved = false;   // something is there for it, only not now
    std::uint32_t refused = std::numeric_limits<std::uint32_t>::max();  // target of which it may be asked no block now

    // Seconds until a block comes that is asked now.
    double expected() const { return peer->rate.expected(rate, queued); }
};

}  // namespace rqfs::torrent
