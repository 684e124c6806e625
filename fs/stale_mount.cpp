#include "fs/stale_mount.h"

#include "fs/mount_table.h"

#include <spawn.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace rqfs::fs {

namespace {

constexpr int kMostStale = 16;  // daemons that crashed on one another; more is not a crash but a loop of ours

// Asks the daemon itself: for a while after its end stat() is still answered with what the kernel remembers.
bool is_dead(std::string const& path) {
    struct statfs filesystem = {};
    return ::statfs(path.c_str(), &filesystem) != 0 && errno == ENOTCONN;
}

bool is_ours(std::string const& path) {
    auto const top = mounted_at(read_mount_table(), path);
    return top && top->type == kMountType;
}

// The way of an ordinary user: the helper of libfuse, which is set-user-id root.
bool run_fusermount(std::string const& path) {
    std::string program = "fusermount3", options = "-uz", end = "--", target = path;
    char* const arguments[] = {program.data(), options.data(), end.data(), target.data(), nullptr};
    pid_t child = 0;
    if (::posix_spawnp(&child, program.c_str(), nullptr, nullptr, arguments, environ) != 0) return false;
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool detach(std::string const& path) {
    if (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return true;
    return ::geteuid() != 0 && run_fusermount(path);
}

}  // namespace

torrent::Result<bool> detach_stale_mount(std::string const& path) {
    bool found = false;
    for (int i = 0; i < kMostStale && is_dead(path) && is_ours(path); ++i) {
        found = true;
        if (!detach(path))
            return torrent::error(torrent::Errc::io,
                                  "the dead mount at " + path + " could not be detached: " + std::strerror(errno));
    }
    return found;
}

}  // namespace rqfs::fs
