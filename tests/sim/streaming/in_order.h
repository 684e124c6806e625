#pragma once

#include "tests/sim/streaming/competitor.h"

#include <cstdint>
#include <vector>

namespace rqfs::tests {

// The next missing blocks after the reader's place, three seconds of requests a peer, and a second request only
// after 20 s of silence: what libtorrent's sequential download does.
class InOrder : public Competitor {
public:
    using Competitor::Competitor;

protected:
    void tick() override;
    // The blocks to ask for, best first.
    virtual std::vector<Block> order();
    std::uint32_t depth(Peer const& peer) const;

private:
    void give_up_silent();
};

// Rarest pieces of the whole torrent first, begun ones before others, wherever the reader is.
class RarestFirst final : public InOrder {
public:
    using InOrder::InOrder;

protected:
    std::vector<Block> order() override;

private:
    std::vector<torrent::PieceIndex> pieces_;  // rarest first
    double counted_at_ = -1;
};

}  // namespace rqfs::tests
