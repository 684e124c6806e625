#pragma once

#include "torrent/bitfield.h"
#include "torrent/metainfo/piece_layout.h"
#include "torrent/units.h"

#include <cstdint>

namespace rqfs::torrent {

// The pieces of a torrent that were fetched because a reader's window wanted them and that no reader has read so far.
// Pure; owned by Download. A piece counts whole until the first byte of it is read.
class UnreadReadAhead {
public:
    explicit UnreadReadAhead(PieceLayout const& layout);

    void wished(PieceIndex piece);  // by the window of a reader
    // Fetched. `wanted`: the user wants it whether it is read or not.
    void fetched(PieceIndex piece, bool wanted);
    void read(PieceLayout::Pieces pieces);
    void lost(PieceIndex piece);

    std::uint64_t bytes() const { return bytes_; }

private:
    void forget(PieceIndex piece);

    PieceLayout layout_;
    Bitfield wished_;  // and not fetched since
    Bitfield unread_;
    std::uint64_t bytes_ = 0;  // of unread_
};

}  // namespace rqfs::torrent
