#pragma once

#include "torrent/swarm/index_set.h"
#include "torrent/units.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace rqfs::torrent {

// How many connected peers have each piece, and which of the pieces on offer to rarest-first is the rarest.
//
// Peers with everything only move a counter. A change of one piece costs O(1); a peer with many pieces makes the
// buckets stale, and they are rebuilt at the next question. Ties are broken by the seed. Pure; owned by PiecePicker.
class Availability {
public:
    Availability(std::uint32_t pieces, std::uint64_t seed);

    void add_all() { ++everywhere_; }     // a peer with all pieces came
    void remove_all() { --everywhere_; }  // it went
    void add(PieceIndex piece);
    void remove(PieceIndex piece);
    void add(IndexSet const& pieces);
    void remove(IndexSet const& pieces);
    std::uint32_t of(PieceIndex piece) const { return counts_[piece.value()] + everywhere_; }

    // Pieces that may be begun by rarest-first; both do nothing when it is so already.
    void offer(PieceIndex piece);
    void withdraw(PieceIndex piece);
    bool offered(PieceIndex piece) const { return offered_.test(piece.value()); }
    IndexSet const& offers() const { return offered_; }
    // Is a piece on offer that some connected peer has?
    bool obtainable();

    // Of what is on offer and in `has` (null: a peer that has all): the rarest, the commonest, any one. Beyond kLooks
    // bucket entries the answer is the best of a sample, so that a peer with few pieces costs no walk over all.
    std::optional<PieceIndex> rarest(IndexSet const* has) { return pick(has, false); }
    std::optional<PieceIndex> commonest(IndexSet const* has) { return pick(has, true); }
    std::optional<PieceIndex> any(IndexSet const* has);

private:
    static constexpr std::uint32_t kLooks = 256;   // entries looked at in rarity order before sampling
    static constexpr std::uint32_t kSample = 512;  // pieces compared then

    std::optional<PieceIndex> pick(IndexSet const* has, bool reverse);
    std::optional<PieceIndex> sample(IndexSet const& has, bool reverse);
    void change(std::uint32_t piece, std::int32_t by);
    void insert(std::uint32_t piece);
    void erase(std::uint32_t piece);
    void rebuild();
    std::uint32_t random(std::uint32_t below);

    std::vector<std::uint32_t> counts_;                // without the peers that have all
    std::vector<std::uint32_t> places_;                // of an offered piece within its bucket
    std::vector<std::vector<std::uint32_t>> buckets_;  // offered pieces by counts_
    IndexSet offered_;
    std::uint32_t everywhere_ = 0;
    std::uint64_t random_state_;
    bool stale_ = false;
};

}  // namespace rqfs::torrent
