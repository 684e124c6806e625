#pragma once

#include "torrent/bitfield.h"
#include "torrent/shared_bytes.h"
#include "torrent/units.h"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace rqfs::torrent {

// Where the verified pieces of one torrent are kept. The engine states here what it needs; cache/ implements it.
//
// Owned by Torrent, made by Store::open(). Engine thread only: every call comes from it and every observer call arrives on it.
// Throws system_error with Errc::io, Errc::no_space, Errc::corrupt or Errc::stopping.
class PieceStore {
public:
    class Observer {
    public:
        virtual ~Observer() = default;
        // These pieces are gone (damaged on disk, evicted); have() no longer lists them. Peers must be told.
        virtual void pieces_lost(std::span<PieceIndex const> pieces) = 0;
        // Data in the file that nobody had recorded proved to match its hash; have() lists it now.
        virtual void piece_found(PieceIndex piece) = 0;
        // has_room() or condition() changed.
        virtual void store_changed() = 0;
    };

    // Whether the disk takes what it is given. The state of a torrent says it to its user.
    struct Condition {
        bool disk_full = false;
        std::string failure;  // a sentence when writing fails for another reason; empty when all is well
    };

    struct CheckProgress {
        bool running = false;
        double fraction = 0;  // of the bytes to be hashed, 0 to 1
    };

    virtual ~PieceStore() = default;

    // Verified pieces that read() can give, in memory or on disk.
    virtual Bitfield const& have() const = 0;

    // Takes a piece that passed its hash, whole. It can be read at once; the disk follows, and it is recorded only once synced. A piece that
    // is there already is ignored. When the disk is full the piece stays in memory while there is room.
    virtual void put(PieceIndex piece, SharedBytes bytes) = 0;

    // False while what waits for the disk fills its share of memory: ask the swarm for no more until store_changed().
    virtual bool has_room() const = 0;

    // The range of a piece if memory holds it: no waiting. `range` counts bytes within the piece.
    virtual std::optional<SharedBytes> try_read(PieceIndex piece, ByteRange range) = 0;
    // From memory or disk, each block checked against its CRC32C. A mismatch drops the piece (pieces_lost) and throws Errc::corrupt.
    virtual boost::asio::awaitable<SharedBytes> read(PieceIndex piece, ByteRange range) = 0;

    // Hashes everything on disk again in the background: pieces that fail are lost, pieces found are kept.
    virtual void start_check() = 0;
    virtual void cancel_check() = 0;
    virtual CheckProgress check_progress() const = 0;

    virtual Condition condition() const = 0;
    // Bytes waiting for the disk are tried again at once (`rqfsctl resume` after a full disk).
    virtual void retry_now() = 0;

    // Returns when everything taken by put() is on disk and recorded, or cannot be.
    virtual boost::asio::awaitable<void> flush() = 0;

    // Must be awaited before destruction: ends background work. Does not flush.
    virtual boost::asio::awaitable<void> stop() = 0;
};

}  // namespace rqfs::torrent
