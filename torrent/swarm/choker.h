#pragma once

#include "torrent/token_bucket.h"
#include "torrent/units.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace rqfs::torrent {

// What the choker must know of a connected peer.
struct ChokerPeer {
    PeerHandle peer;
    bool interested = false;         // it wants something of ours
    double download_rate = 0;        // bytes a second of payload it gave us in the last round
    double upload_rate = 0;          // and took from us
    std::uint64_t window_bytes = 0;  // blocks of readers' windows it gave us in the last round
    bool snubs_us = false;           // has unchoked us, owes us blocks, and sent none for 60 s
    TimePoint connected_since{};
    std::optional<TimePoint> unchoked_since;   // nothing: choked by us
    std::uint64_t uploaded_since_unchoke = 0;  // bytes of payload
    std::optional<TimePoint> last_unchoked;    // when its last turn ended; nothing: it had none yet
};

// Whom to upload to (BEP 3, engine 3.4): rounds of 10 s, a fifth of the slots optimistic for 30 s. Pure; owned by
// Torrent.
//
// Downloading: the slots go to who gives us most, the top three suppliers of readers' windows before all. Seeding: in
// turns, of at least 60 s and 20 pieces, to who takes fastest and was served longest ago. Deterministic: same peers,
// same seed, same answers.
class Choker {
public:
    struct Rules {
        std::size_t slots = 8;          // peers unchoked at a time; 0: nobody
        bool seeding = false;           // we have all we want
        std::uint32_t piece_bytes = 0;  // for the length of a seed's turn
    };

    explicit Choker(std::uint64_t seed) : random_(seed) {}

    // Who is to be unchoked now; everybody else is to be choked. Call every round and whenever a peer joins, leaves or
    // changes its interest: between rounds nobody loses a slot that is still interested, and free slots are given away.
    std::set<PeerHandle> decide(std::span<ChokerPeer const> peers, Rules const& rules, TimePoint now);
    TimePoint next_round() const { return next_round_; }
    // Some peer's interest is another one.
    void interest_changed() { changed_ = true; }
    // Whether to decide now: a round is over, or interest has changed. Not for every change of who changes its mind all
    // the time: each decision looks at every peer.
    bool is_due(TimePoint now) { return now >= next_round_ || (changed_ && changes_.try_take(1, now)); }
    bool optimistic(PeerHandle peer) const { return optimistic_.contains(peer); }

    static constexpr std::chrono::seconds kRound{10};       // BEP 3
    static constexpr std::chrono::seconds kOptimistic{30};  // BEP 3
    static constexpr std::chrono::seconds kNewPeer{30};     // three rounds; BEP 3: three times as likely
    static constexpr std::chrono::seconds kTurn{60};        // libtorrent, seed_time of a turn
    static constexpr std::uint32_t kTurnPieces = 20;        // libtorrent seeding_piece_quota
    static constexpr std::size_t kKeptSuppliers = 3;        // engine 3.4
    static constexpr double kChanges = 50, kChangesPerSecond = 10;  // of interest: a whole swarm's at once

private:
    using Peers = std::vector<ChokerPeer>;

    std::vector<PeerHandle> ranking(Peers const& interested, Rules const& rules, TimePoint now) const;
    void begin_round(std::size_t reserved, TimePoint now);
    void fill_regular(std::vector<PeerHandle> const& ranking, Rules const& rules, std::size_t most, bool round);
    std::optional<PeerHandle> draw(Peers const& interested, TimePoint now);
    bool unchoked(PeerHandle peer) const { return regular_.contains(peer) || optimistic_.contains(peer); }
    std::uint64_t next_random();

    std::uint64_t random_;
    TimePoint next_round_{};
    bool changed_ = false;
    TokenBucket changes_{kChangesPerSecond, kChanges};
    TimePoint next_rotation_{};
    std::set<PeerHandle> regular_;  // as decided last
    std::set<PeerHandle> optimistic_;
    std::set<PeerHandle> last_optimistic_;  // of the rotation before: others come first
};

}  // namespace rqfs::torrent
