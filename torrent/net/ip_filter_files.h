#pragma once

#include "torrent/error.h"
#include "torrent/net/ip_filter.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::torrent {

// Lists of addresses as files, plain or gzip. Everything here blocks: on a worker only.

// By what one sees that a file has become another one.
struct FileStamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t bytes = 0;
    std::int64_t changed_nanoseconds = 0;  // mtime

    friend auto operator<=>(FileStamp const&, FileStamp const&) = default;
};

// Nothing for a file that is missing or cannot be looked at.
using FileStamps = std::vector<std::optional<FileStamp>>;
FileStamps stamps_of(std::vector<std::string> const& files);

struct LoadedIpFilter {
    std::shared_ptr<IpFilter const> filter;
    FileStamps stamps;  // of the files as they were read
    std::size_t bad_lines = 0;
    std::string first_bad;  // IpFilterText::first_bad() of the first file that has one
};

// All files as one filter, or a sentence why not: one is missing, unreadable, no regular file, longer than
// limit::kIpFilterBytes, cut off in the middle (gzip), has lines of which not one is good (an error page of a web
// server, say), changed while it was read, or all hold more than limit::kIpFilterRanges. Half a filter is never given.
// Errc::malformed and too_large are of what a file holds, Errc::busy passes: it was being written, or the system lacked
// something (descriptors, memory, its disk).
Result<LoadedIpFilter> load_ip_filter(std::vector<std::string> const& files);

}  // namespace rqfs::torrent
