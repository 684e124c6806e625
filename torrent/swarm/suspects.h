#pragma once

#include "torrent/hash.h"
#include "torrent/settings.h"
#include "torrent/shared_bytes.h"
#include "torrent/units.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <span>
#include <vector>

namespace rqfs::torrent {

// Keeps a stranger from preparing two blocks of one hash.
using Salt = std::array<std::byte, 16>;

// Salted SHA-1 of every block of a piece: 0.5 ms a MiB, so for large pieces a worker's job.
std::vector<Sha1Digest> salted_block_hashes(Salt const& salt, SharedBytes const& piece);
Sha1Digest salted_block_hash(Salt const& salt, std::span<std::byte const> block);

// Who sent bad data: parole for those who may have, a ban for those who did (engine 3.11). Pure; owned by Torrent.
//
// A ban needs proof: the piece had one sender, or the piece passed later and that peer's block was another. Until it is
// proven a peer is on parole: it helps to fetch the piece a second time, and besides that gets whole pieces alone
// (PiecePicker::peer_parole), so that either is the proof. Only bytes as they came from the peer may be judged; a piece that the disk or the memory spoilt is
// nobody's fault and is not told here. A peer may be gone when its guilt is shown, so whoever maps handles to addresses
// remembers suspects() too.
class Suspects {
public:
    struct Verdict {
        std::vector<PeerHandle> ban;
        std::vector<PeerHandle> parole;   // put on it now
        std::vector<PeerHandle> release;  // off it

        bool empty() const { return ban.empty() && parole.empty() && release.empty(); }
    };

    explicit Suspects(Salt const& salt) : salt_(salt) {}

    Salt const& salt() const { return salt_; }

    // `senders` by block, whose first copy was stored; `hashes` by block. Without hashes (no memory or time for them)
    // the peers are counted: limit::kBadPiecesBeforeBan of such pieces, each after a release from parole, end in a ban.
    // Padding, which nobody sends (BEP 47), has no sender: PeerHandle(0).
    Verdict piece_failed(PieceIndex piece, std::vector<PeerHandle> const& senders,
                         std::vector<Sha1Digest> const& hashes);
    // piece_passed() wants hashes of this piece: there are receipts to compare them with.
    bool needs_hashes(PieceIndex piece) const { return cases_.contains(piece); }
    Verdict piece_passed(PieceIndex piece, std::vector<PeerHandle> const& senders,
                         std::vector<Sha1Digest> const& hashes);
    // A second copy of a block differs from the stored one: one of the two lies, and the piece will show who.
    Verdict block_differs(BlockAddress block, PeerHandle stored_from, PeerHandle second, Sha1Digest const& second_hash);

    // Whether a block of a piece that failed may be taken: nobody sent another one, or somebody else sent the same, or this
    // peer repeats what it said. If not it is a receipt like the others.
    bool confirms(BlockAddress block, PeerHandle peer, Sha1Digest const& hash);

    bool on_parole(PeerHandle peer) const;
    bool banned(PeerHandle peer) const { return banned_.contains(peer); }
    // Those on parole or with a receipt: who may still be judged.
    std::set<PeerHandle> suspects() const;
    // Its receipts stay, and a ban is remembered: blocks of it may still lie in pieces in flight.
    void peer_left(PeerHandle peer);

private:
    struct Receipt {
        BlockIndex block;
        PeerHandle peer;
        Sha1Digest hash;
        friend bool operator==(Receipt const&, Receipt const&) = default;
    };
    struct Case {
        std::vector<Receipt> receipts;
        std::set<PeerHandle> accused;  // on parole because of this piece
    };
    struct Parole {
        std::set<PieceIndex> cases;  // whose proof would end it
        bool unresolved = false;     // a case went without proof, so only a piece sent alone ends it
    };

    Case& open_case(PieceIndex piece);
    void close_unproven(PieceIndex piece);
    void add_receipt(Case& open, Receipt const& receipt, std::size_t most);
    void forget_old_receipts();
    void accuse(PieceIndex piece, PeerHandle peer, Verdict& verdict);
    void acquit(PieceIndex piece, PeerHandle peer, Verdict& verdict);
    void release(PeerHandle peer, Verdict& verdict);
    void ban(PeerHandle peer, Verdict& verdict);
    void count_unproven(PeerHandle peer, Verdict& verdict);

    Salt salt_;
    std::map<PieceIndex, Case> cases_;   // at most limit::kBadPieceReceipts
    std::deque<PieceIndex> case_order_;  // oldest first
    std::map<PeerHandle, Parole> parole_;
    std::map<PeerHandle, std::uint32_t> unproven_;  // bad pieces without hashes
    std::set<PeerHandle> banned_;
};

}  // namespace rqfs::torrent
