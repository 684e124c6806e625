#pragma once

#include "tests/sim/streaming/competitor.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>

namespace rqfs::tests {

// A piece belongs to one peer, which has 128 requests under way; a piece that takes ten times (at last: three times) as
// long as another peer takes on average is stolen by that one. What rqbit does, with its window of 32 MiB.
class WholePieces final : public Competitor {
public:
    using Competitor::Competitor;

protected:
    void tick() override;
    void piece_done(torrent::PieceIndex piece) override;
    void piece_freed(torrent::PieceIndex piece) override;

private:
    struct Owned {
        torrent::PeerHandle peer;
        double since;
    };
    struct Mean {
        double sum = 0;
        double count = 0;
    };

    std::optional<torrent::PieceIndex> acquire(Peer& peer);
    std::optional<torrent::PieceIndex> fresh(Peer const& peer, std::uint32_t begin, std::uint32_t end);
    std::optional<torrent::PieceIndex> steal(Peer const& peer, double times);

    std::map<torrent::PieceIndex, Owned> owned_;
    std::map<torrent::PeerHandle, Mean> seconds_;  // a piece took
    std::map<torrent::PeerHandle, std::deque<Block>> to_ask_;
};

}  // namespace rqfs::tests
