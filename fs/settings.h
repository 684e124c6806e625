#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace rqfs::fs {

// What a read that waited too long is told.
enum class OnTimeout { eio, eagain };

// How torrents are shown and read: the mount options and read limits a user may set (rqfs.yaml.5).
struct Settings {
    // mount.* and -o. The mount is read-only, nosuid, nodev and noexec whatever is asked for.
    bool allow_other = false;  // others than the user who mounts may look inside, as the modes allow
    std::optional<uid_t> uid;  // owner of everything; nothing: the daemon's
    std::optional<gid_t> gid;
    mode_t umask = 0;  // taken away from 0444 (files) and 0555 (directories)

    // read.*
    std::chrono::milliseconds read_timeout{60'000};  // every request is answered within a bound
    OnTimeout on_timeout = OnTimeout::eio;
};

namespace limit {

inline constexpr std::size_t kNameBytes = 255;                  // NAME_MAX of Linux
inline constexpr std::size_t kExtensionBytes = 16;              // kept when a name is shortened; libtorrent keeps 15
inline constexpr std::size_t kPathBytes = 4095;                 // PATH_MAX without its NUL
inline constexpr std::size_t kMountPointBytes = 512;            // of it left for the mount point
inline constexpr std::uint32_t kPathDepth = 100;                // libtorrent's max_directory_depth
inline constexpr std::size_t kDirectoriesPerTorrent = 500'000;  // as many as files (torrent/limits.h kFiles)
inline constexpr std::size_t kRememberedNodes = 1'000'000;  // nodes of torrents nobody looks at, about 50 bytes each
inline constexpr std::size_t kXattrBytes = 4096;            // of a raw name; the kernel allows 65,536
inline constexpr std::size_t kWhyBytes = 60'000;            // of user.rqfs.why
// It may grow by so much between the question for its size and the one for its value.
inline constexpr std::size_t kWhyGrowthBytes = 4096;
inline constexpr std::size_t kFilesBuiltAtOnce =
    2'000;  // larger torrents are laid out on a worker: 2,000 take about 2 ms

inline constexpr std::uint32_t kMaxReadBytes = 1u << 20;  // the kernel's own maximum for FUSE
inline constexpr std::uint32_t kMaxReadAheadBytes =
    1u << 20;  // the kernel takes the lesser of this and the 128 KiB of its own
// Reads ahead that may be unanswered at once over the whole mount. The kernel's default of 12 would let one torrent
// without peers hold up the read-ahead of all others.
inline constexpr std::uint32_t kMaxBackground = 4096;

// What a file's own bytes may make us look for in it (fs/media_index.h). A film's index takes a few dozen looks, and
// the moov of three hours is some 10 MiB.
inline constexpr std::uint64_t kMediaStepBytes = 65'557;        // the longest end of a ZIP: its record and a comment
inline constexpr std::size_t kMediaSteps = 1024;                // looks at one file
inline constexpr std::size_t kMediaJumps = 32;                  // of them elsewhere in it: each may cost a piece
inline constexpr std::size_t kMediaRanges = 64;                 // OpenDML has one index a gigabyte and stream
inline constexpr std::size_t kMediaDirectories = 24;            // of a disc's image that are looked into; a Blu-ray has 14
inline constexpr std::uint64_t kMediaIndexBytes = 64u << 20;    // of all ranges together
inline constexpr std::size_t kMediaFruitlessReads = 4096;       // of a reader, without the bytes that were waited for
inline constexpr std::chrono::hours kMediaMostDuration{1000};   // longer is a stranger's joke

}  // namespace limit

}  // namespace rqfs::fs
