#pragma once

#include "cache/disk_tier.h"
#include "torrent/bitfield.h"
#include "torrent/hash.h"
#include "torrent/shared_bytes.h"
#include "torrent/units.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::cache {

// What the disk lane of the workers does with the file of a torrent: functions of values that return values and throw nothing
// but bad_alloc. A job opens the file when it got none and hands it back to be kept.

struct FileRef {
    std::string path;
    std::shared_ptr<StoreFile> file;  // null: not open yet
};

// Why a job failed: an errno, with a sentence for people. No failure: code 0.
struct DiskFailure {
    int code = 0;
    std::string sentence;

    bool full() const;  // ENOSPC, EDQUOT
};

struct WriteItem {
    torrent::PieceIndex piece;
    std::uint64_t offset = 0;
    torrent::SharedBytes bytes;
};

struct WriteOutcome {
    std::shared_ptr<StoreFile> file;
    std::vector<std::vector<std::uint32_t>> checksums;  // of the blocks of each piece written, in order; fewer than asked after a failure
    DiskFailure failure;
};

struct Reserve {
    std::uint64_t bytes = 0;
    std::uint32_t percent = 0;

    // What must stay free of such a disk.
    std::uint64_t of(torrent::DiskSpace const& space) const;
};

// One write a piece. Stops at the first failure, and counts a disk with less than its reserve left as full.
WriteOutcome write_pieces(FileRef file, std::vector<WriteItem> items, Reserve reserve);

// Also fails when the file was removed under us.
DiskFailure sync_file(std::shared_ptr<StoreFile> file);

struct ReadOutcome {
    std::shared_ptr<StoreFile> file;
    torrent::SharedBytes bytes;
    bool damaged = false;  // gone, short, unreadable or other bytes than were written: the piece must be fetched again
    DiskFailure failure;   // why nothing was read; without `damaged` a trouble that passes
};

// Whole blocks from `offset` on, each compared with its checksum; the last may end early, at the end of its piece.
ReadOutcome read_blocks(FileRef file, std::uint64_t offset, std::uint64_t bytes, std::vector<std::uint32_t> checksums);

struct HashItem {
    torrent::PieceIndex piece;
    torrent::ByteRange range;  // in the file
    torrent::Sha1Digest hash{};
};

struct HashOutcome {
    std::shared_ptr<StoreFile> file;
    std::vector<std::optional<std::vector<std::uint32_t>>> checksums;  // of each piece that matches its hash, in order
};

// Reads and hashes pieces in large sequential reads.
HashOutcome hash_pieces(FileRef file, std::vector<HashItem> items);

struct ScanOutcome {
    std::shared_ptr<StoreFile> file;  // null: there is none
    torrent::Bitfield data;           // pieces without a hole in them
};

ScanOutcome scan_data(FileRef file, std::uint64_t total_bytes, std::uint32_t piece_bytes, std::uint32_t pieces);

}  // namespace rqfs::cache
