#pragma once

#include "torrent/swarm/block_table.h"
#include "torrent/swarm/wish.h"
#include "torrent/units.h"

#include <cstdint>

namespace rqfs::torrent {

// Where PiecePicker has one piece.
struct PickerPiece {
    enum class Phase : std::uint8_t { missing, in_flight, complete, have };

    BlockTable::FlightId flight = BlockTable::kNone;
    std::uint32_t target = BlockTable::kNone;  // place among the wished ones
    Phase phase = Phase::missing;
    bool wanted = false;
};

// A wished piece.
struct PickerTarget {
    Wish wish;
    TimePoint blocked_since;    // of a piece that nobody is blocked by: none
    bool copier_waits = false;  // a greedy reader is blocked by it, whoever else wants it
};

}  // namespace rqfs::torrent
