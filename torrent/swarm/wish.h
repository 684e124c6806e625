#pragma once

#include "torrent/units.h"

#include <vector>

namespace rqfs::torrent {

// How much a piece is wanted; a lower value is served first when capacity is short (engine: earliest deadline inside a class).
enum class Urgency {
    blocked_player,  // a paced reader waits for it now
    player,          // in a paced reader's window
    blocked_copier,  // a greedy reader waits for it now
    copier,          // in a greedy reader's window
    background,      // `download`, or pins
};

// A piece that a reader wants by a point in time.
struct Wish {
    PieceIndex piece;
    TimePoint deadline;
    Urgency urgency = Urgency::background;
    bool index = false;  // where a file's index lies or may lie, of a reader that has not begun to play
};

}  // namespace rqfs::torrent
