#pragma once

#include "torrent/error.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace rqfs::tools {

// Amounts as people write and read them. K, M, G and T are powers of 1024 everywhere in rqfs.

// "128M", "1.5G", "4096", "64KiB"; bytes, at most 2^63 - 1.
torrent::Result<std::uint64_t> parse_size(std::string_view text);
// A size, in bytes a second; "0" and "unlimited" are 0.
torrent::Result<std::uint64_t> parse_rate(std::string_view text);
// "60s", "500ms", "2m", "1h"; a bare number is seconds. At most 24 hours.
torrent::Result<std::chrono::milliseconds> parse_duration(std::string_view text);

std::string format_size(std::uint64_t bytes);                // "1.4 GiB"
std::string format_rate(double bytes_per_second);            // "512 KiB/s"; empty below one byte a second
std::string format_limit(std::uint64_t bytes_per_second);    // as a rate; "unlimited" for 0
std::string format_duration(std::chrono::seconds duration);  // "45 s", "3 min", "2 h 05 min", "4 d 02 h"
std::string format_percent(double fraction);                 // "52.3%"; "100%" only for the whole
// "1 peer", "2 peers".
std::string counted(std::uint64_t count, std::string_view one, std::string_view many);

}  // namespace rqfs::tools
