#pragma once

#include "torrent/error.h"

#include <string>

namespace rqfs::fs {

// Makes sure that we can mount at `path`: detaches a dead mount of ours, then checks that it is an empty directory
// which is ours to use and that this machine has FUSE. Gives the absolute path without links. Errors are one sentence
// for the user. Blocks: for a worker.
torrent::Result<std::string> prepare_mount_point(std::string const& path, bool allow_other);

}  // namespace rqfs::fs
