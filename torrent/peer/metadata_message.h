#pragma once

#include "torrent/error.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rqfs::torrent {

// A message of ut_metadata (BEP 9): the bencoded head, and for `data` the raw 16 KiB behind it.
struct MetadataMessage {
    enum class Type { request = 0, data = 1, reject = 2 };

    Type type = Type::request;
    std::uint32_t piece = 0;
    std::uint32_t total_bytes = 0;     // of the metadata; data only
    std::span<std::byte const> bytes;  // data only; lives as long as the payload it was parsed from

    static Result<MetadataMessage> parse(std::span<std::byte const> payload);
    std::vector<std::byte> encode() const;
};

}  // namespace rqfs::torrent
