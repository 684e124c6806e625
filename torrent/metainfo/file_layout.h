#pragma once

#include "torrent/units.h"

#include <cstdint>
#include <vector>

namespace rqfs::torrent {

// Arithmetic between files and bytes of the torrent (BEP 3: files lie one after the other, pad files included). A
// value; any thread.
class FileLayout {
public:
    FileLayout() = default;
    explicit FileLayout(std::vector<std::uint64_t> const& file_bytes);

    std::size_t files() const { return ends_.size(); }
    std::uint64_t total_bytes() const { return ends_.empty() ? 0 : ends_.back(); }
    ByteRange range(FileIndex file) const;  // within the torrent
    // The range of the torrent that `range` of the file is; range.end <= the file's size.
    ByteRange in_torrent(FileIndex file, ByteRange range) const;

    // The files that a range of the torrent touches, in order, each with the touched range within the file; empty files
    // never appear. range.end <= total_bytes().
    struct Part {
        FileIndex file;
        ByteRange range;
    };
    std::vector<Part> parts(ByteRange range) const;

private:
    std::vector<std::uint64_t> ends_;
};

}  // namespace rqfs::torrent
