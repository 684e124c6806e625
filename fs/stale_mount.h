#pragma once

#include "torrent/error.h"

#include <string>

namespace rqfs::fs {

// Detaches what a daemon that crashed left mounted at `path` (absolute, canonical): mounts of ours that answer
// ENOTCONN, however many lie on each other. Live mounts and those of others are left alone. True when there was one.
// Blocks: for a worker. Errors are one sentence.
torrent::Result<bool> detach_stale_mount(std::string const& path);

}  // namespace rqfs::fs
