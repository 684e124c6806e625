#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rqfs::cache {

// What a user may set of the store (rqfs.yaml.5, `cache.*`); sizes in bytes.
struct CacheSettings {
    std::uint64_t memory_bytes = 128u << 20;        // pieces in memory, those that wait for the disk included
    std::uint64_t commit_bytes = 64u << 20;         // written and not yet synced: at most this is lost by a power cut ...
    std::chrono::milliseconds commit_interval{30'000};  // ... and what is younger than this; rain saves every 30 s
    std::chrono::milliseconds idle_commit{2'000};   // after the last write, when nothing more comes
    std::uint64_t reserved_bytes = 64u << 20;       // of the disk, kept free of pieces: the database must always find room
    std::uint32_t reserved_percent = 1;             // of the disk; the larger of the two counts
    std::size_t open_files = 64;                    // libtorrent keeps 40, aria2 100
};

// Pieces never fill more of a small disk than this leaves: the reserve is at most one part of so many of it.
inline constexpr std::uint64_t kSmallDiskReserveDivisor = 8;
// What waits for the disk may take one part of so many of the memory; the rest is for readers.
inline constexpr std::uint64_t kUnwrittenDivisor = 2;
// A failed write is tried again after this long, so that a full disk is left within 5 s of space being there.
inline constexpr std::chrono::seconds kRetryInterval{2};
// A daemon that is ending holds the lock of the store until all is saved: the next one asks again and again for so long.
inline constexpr std::chrono::milliseconds kLockWait{3'000};
inline constexpr std::chrono::milliseconds kLockRetryInterval{50};
// How often the free space of the disk is asked for.
inline constexpr std::chrono::seconds kSpaceInterval{3};
// One job of the disk lane writes or hashes about this much, so that a read waits a few milliseconds at most.
inline constexpr std::uint64_t kJobBytes = 8u << 20;
// A sequential reader is served in aligned runs of a piece: eight of the kernel's 128 KiB reads for one job.
inline constexpr std::uint64_t kRunBytes = 1u << 20;
// How far ahead of a sequential reader runs are loaded, and in how many jobs at once.
inline constexpr std::uint64_t kReadAheadBytes = 1u << 20;
inline constexpr std::size_t kReadAheadJobs = 4;
// Files whose data is not yet synced stay open; more than so many are synced at once.
inline constexpr std::size_t kUnsyncedFiles = 32;
// Peers remembered of a torrent; a session starts with the best ones and learns the others again.
inline constexpr std::size_t kSavedPeers = 2'000;

}  // namespace rqfs::cache
