#pragma once

#include "fs/settings.h"

#include <exception>

namespace rqfs::fs {

// What the kernel is told about an error: the one table of the program. `on_timeout` says what a read that waited too
// long gets.
int to_errno(std::exception_ptr const& error, OnTimeout on_timeout = OnTimeout::eio);

// Throws the errno itself, for what only a filesystem has a word for (EBADF, ENODATA, ...).
[[noreturn]] void throw_errno(int error);

}  // namespace rqfs::fs
