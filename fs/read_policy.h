#pragma once

#include "fs/settings.h"
#include "torrent/units.h"

#include <cstdint>
#include <optional>

namespace rqfs::fs {

// How long a read may wait for the network. Nothing: for ever, which the user has to ask for.
std::optional<torrent::Duration> read_wait(Settings const& settings);

// The part of a file of `file_bytes` that a request for `bytes` at `offset` gets: the kernel asks for whole pages, also
// beyond the end.
torrent::ByteRange readable_range(std::uint64_t file_bytes, std::uint64_t offset, std::uint64_t bytes);

}  // namespace rqfs::fs
