#pragma once

#include "torrent/swarm/wish.h"
#include "torrent/units.h"

#include <map>
#include <vector>

namespace rqfs::torrent {

// What all readers of a torrent wish for, merged: a piece once, with the earliest deadline and the best urgency anybody
// gave it.
//
// Pure; owned by PiecePicker.
class Deadlines {
public:
    // Replaces what this reader wished.
    void set(ReaderId reader, std::vector<Wish> wishes);
    void drop(ReaderId reader);
    // The piece is here: all wishes for it are fulfilled and gone.
    void fulfilled(PieceIndex piece);

    // By urgency, then deadline, then piece.
    std::vector<Wish> merged() const;
    // What greedy readers wait for now, whoever else wants it and however.
    std::vector<PieceIndex> copiers_wait() const;
    bool empty() const { return readers_.empty(); }

private:
    std::map<ReaderId, std::vector<Wish>> readers_;  // none of them empty
};

}  // namespace rqfs::torrent
