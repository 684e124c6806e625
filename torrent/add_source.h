#pragma once

#include "torrent/clock.h"
#include "torrent/error.h"
#include "torrent/store.h"

#include <cstddef>
#include <span>
#include <string_view>

namespace rqfs::torrent {

// Turns what the user adds into the record of a new torrent; errors are sentences for the user. Pure but for the time given.
Result<TorrentRecord> record_of_magnet(std::string_view uri, std::chrono::sys_seconds now);
Result<TorrentRecord> record_of_torrent_file(std::span<std::byte const> file, std::chrono::sys_seconds now);

}  // namespace rqfs::torrent
