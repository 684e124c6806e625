#pragma once

#include "torrent/library.h"

#include <sys/types.h>

namespace rqfs::fs {

// The program that a thread belongs to, by its name in /proc/PID/comm (at most 15 characters); no name when the thread
// is gone or lives in another PID namespace. Blocks a little: for a worker. The files it reads never wait for the
// memory of the process, which may be mapped from our own mount.
torrent::ReaderProgram read_reader_program(pid_t thread);

}  // namespace rqfs::fs
