#pragma once

#include "fs/media_bytes.h"
#include "fs/media_scan.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace rqfs::fs {

// ECMA-167 and OSTA UDF in sectors of 2048 bytes: from the anchor by way of the volume descriptors and the file set to
// the root directory, and into those below it. Pure; part of the walk through an image, which asks for next() and gives
// it to take() until there is no more.
//
// All it finds is needed first: a player opens a disc by reading exactly that. Directories are a stranger's: so many
// are followed (limit::kMediaDirectories), each once, and of each so much is read as one look takes.
class UdfDirectories {
public:
    // The scan outlives it.
    explicit UdfDirectories(MediaScan& scan);

    std::optional<torrent::ByteRange> next();  // within the file, or empty
    void take(MediaBytes bytes);

private:
    enum class What { anchor, volumes, metadata_file, file_set, entry, directory };
    struct Look {
        What what;
        torrent::ByteRange range;
        std::size_t partition = 0;  // in which what it names lies, unless it says otherwise
    };
    // A row of blocks in the image; blocks of a partition count through all its extents.
    struct Extent {
        std::uint64_t begin;
        std::uint64_t bytes;
    };
    struct Partition {
        std::vector<Extent> extents;
    };
    struct Entry;

    void take_anchor(MediaBytes anchor);
    void take_volumes(MediaBytes sequence);
    void take_maps(MediaBytes volume);
    void take_metadata_file(MediaBytes block);
    void take_file_set(MediaBytes block);
    void take_entry(MediaBytes block, std::size_t partition);
    void take_directory(MediaBytes names);
    void want_entry(std::uint64_t block, std::size_t partition);
    void want(What what, torrent::ByteRange range, std::size_t partition);
    std::optional<std::uint64_t> place_of(std::uint64_t block, std::size_t partition) const;
    std::optional<Entry> entry_of(MediaBytes block, std::size_t partition) const;

    MediaScan& scan_;
    std::deque<Look> looks_;
    Look current_{What::anchor, {}};
    std::map<std::uint64_t, std::uint64_t> starts_;  // of partitions by their number, in bytes
    std::vector<Partition> partitions_;              // as the logical volume counts them
    std::optional<std::size_t> metadata_;            // the one of them that is a file
    std::uint64_t file_set_block_ = 0;
    std::size_t file_set_partition_ = 0;
    std::set<std::uint64_t> entries_;  // of directories, where they lie
};

}  // namespace rqfs::fs
