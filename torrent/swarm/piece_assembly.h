#pragma once

#include "torrent/hash.h"
#include "torrent/metainfo/piece_layout.h"
#include "torrent/shared_bytes.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace rqfs::torrent {

// A part of a piece on its way to a worker: bytes that nobody changes any more, and the computation to go on with.
struct HashRun {
    PieceIndex piece;
    std::uint64_t assembly = 0;  // which assembly of the piece: a piece may be dropped and begun anew meanwhile
    SharedBytes bytes;
    Sha1 context;
};

// The worker's part: hashes the run and hands it back.
HashRun hash_run(HashRun run);

// The blocks received of the pieces in flight, who sent each, and how far each piece is hashed. Owned by Torrent;
// engine thread.
//
// A piece is one contiguous buffer, allocated whole and without touching it when its first block comes. A block once
// stored is never written again, so runs may be hashed by workers while later blocks are stored beside them.
class PieceAssembly {
public:
    enum class Stored {
        stored,     // the first copy
        same,       // there already, equal byte for byte
        different,  // there already, and not equal: one of the two senders lies
    };

    explicit PieceAssembly(PieceLayout const& layout) : layout_(layout) {}

    // `bytes` are exactly the block (PieceLayout::bytes).
    Stored add(PeerHandle sender, BlockAddress block, std::span<std::byte const> bytes);

    // What can go to the hasher now: the contiguous bytes after what was hashed, if they are 256 KiB (against
    // 64 KiB that spares an eighth of a fast download's processor time, and hashing them takes a tenth of a
    // millisecond) or reach the end of the piece, or whatever there is when `flush`.
    // One run of a piece is out at a time.
    std::optional<HashRun> next_run(PieceIndex piece, bool flush = false);
    // A run came back. False when its assembly is gone: the piece was dropped meanwhile.
    bool run_hashed(HashRun run);
    // The piece's hash, when every byte of it has been hashed.
    std::optional<Sha1Digest> finished(PieceIndex piece) const;

    bool complete(PieceIndex piece) const;  // every block is here
    bool contains(PieceIndex piece) const;
    bool contains(BlockAddress block) const;
    std::optional<PeerHandle> sender(BlockAddress block) const;
    // Who sent each block of a complete piece.
    std::vector<PeerHandle> contributors(PieceIndex piece) const;
    // A block that is here; valid until the piece is taken or dropped.
    std::span<std::byte const> bytes(BlockAddress block) const;
    // A complete piece, shared.
    SharedBytes bytes(PieceIndex piece) const;

    // The complete piece; it is forgotten here.
    SharedBytes take(PieceIndex piece);
    // Forgets the piece, also while a run is at the hasher, which keeps its bytes alive. Unknown pieces are fine.
    void drop(PieceIndex piece);

    std::vector<PieceIndex> pieces() const;
    std::uint64_t bytes_held() const { return bytes_held_; }  // of all buffers, filled or not
    std::uint64_t bytes_received(PieceIndex piece) const;     // of one piece

private:
    struct Piece {
        std::uint64_t assembly = 0;
        std::shared_ptr<std::byte[]> buffer;
        std::uint32_t size = 0;
        std::vector<std::optional<PeerHandle>> senders;  // by block
        std::uint32_t blocks_here = 0;
        std::uint32_t contiguous_blocks = 0;  // from the start
        std::uint32_t handed_bytes = 0;       // hashed or at the hasher
        bool at_hasher = false;
        Sha1 context;
        std::optional<Sha1Digest> digest;
    };

    Piece& begin(PieceIndex piece);
    Piece const* find(PieceIndex piece) const;

    PieceLayout layout_;
    std::map<PieceIndex, Piece> pieces_;
    std::uint64_t bytes_held_ = 0;
    std::uint64_t assemblies_ = 0;
};

}  // namespace rqfs::torrent
