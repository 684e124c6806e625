#pragma once

#include "torrent/settings.h"
#include "torrent/swarm/index_set.h"
#include "torrent/swarm/late_blocks.h"
#include "torrent/swarm/peer_rate.h"
#include "torrent/swarm/piece_picker.h"
#include "torrent/units.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace rqfs::torrent {

// What PiecePicker knows of one peer, but for its queue of requests (BlockTable). Pure; owned by PiecePicker.
struct PickerPeer {
    static constexpr std::size_t kAllowed = 64;    // pieces allowed while choked that are kept; BEP 6 suggests ten
    static constexpr std::size_t kSuggested = 16;  // libtorrent max_suggest_pieces
    static constexpr std::chrono::seconds kAgainAfterReject{1};
    static constexpr std::chrono::seconds kSnubbedAfter{20};  // libtorrent piece_timeout
    static constexpr std::size_t kRejects = 500;              // a queue full

    struct Reject {
        BlockAddress block;
        TimePoint until;
    };

    PeerHandle handle;
    std::uint32_t slot = 0;
    PiecePicker::PeerTraits traits;
    IndexSet pieces;  // what it has; meaningless while `all`
    bool all = false;
    bool choked = true;
    bool parole = false;
    bool late = false;     // silent for longer than its timeout
    bool snubbed = false;  // silent for 20 s
    std::vector<PieceIndex> allowed;
    std::vector<PieceIndex> suggested;
    std::vector<Reject> rejects;  // oldest first
    LateBlocks late_blocks;
    PeerRate rate;
    std::optional<PieceIndex> own_piece;  // the piece that it fetches whole
    std::uint64_t nothing_as_of = 0;      // PiecePicker's count of changes when it last had nothing for this peer

    bool has(PieceIndex piece) const { return all || pieces.test(piece.value()); }
    bool complete() const { return all || pieces.count() == pieces.size(); }
    bool allows(PieceIndex piece) const { return !choked || std::ranges::find(allowed, piece) != allowed.end(); }
    bool may_be_asked(PieceIndex piece) const { return has(piece) && allows(piece); }
    bool askable() const { return !choked || !allowed.empty(); }
    // Requests it takes at once.
    std::uint32_t limit() const { return std::clamp(traits.max_requests, 1u, torrent::limit::kRequestsOut); }

    void rejected(BlockAddress block, TimePoint now) {
        if (rejects.size() == kRejects) rejects.erase(rejects.begin());
        rejects.push_back({block, now + kAgainAfterReject});
    }
    bool rejected_lately(BlockAddress block, TimePoint now) const {
        return std::ranges::any_of(rejects, [&](Reject const& r) { return r.block == block && r.until > now; });
    }
};

}  // namespace rqfs::torrent
