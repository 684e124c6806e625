#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {

// What goes on being fetched of a torrent with an open file, beside what is read and its read-ahead (stream.fetch of rqfs.yaml.5).
enum class FetchPolicy { window, file, torrent };

// How files are read by which programs (stream.* of rqfs.yaml.5).
struct StreamSettings {
    FetchPolicy fetch = FetchPolicy::window;
    std::vector<std::string> copiers;   // names of programs; empty: the usual ones
    std::vector<std::string> scanners;  // the same
    // What scanners may have fetched of one file; 0: unlimited. Thumbnailers of films take 5 to 20 MiB.
    std::uint64_t scanner_budget_bytes = 32u << 20;
};

// What a program does with a file, as far as its name tells.
enum class ProgramKind {
    unknown,  // how it reads tells the rest
    copier,   // reads it once from end to end as fast as it can: its start is not a player's that fills its buffer
    scanner,  // looks into many files for a moment: thumbnailers, indexers
};

// `name` as in /proc/PID/comm, which keeps 15 characters. Pure.
ProgramKind program_kind(std::string_view name, StreamSettings const& settings);

}  // namespace rqfs::torrent
