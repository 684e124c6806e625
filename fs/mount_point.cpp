#include "fs/mount_point.h"

#include "fs/mount_table.h"
#include "fs/stale_mount.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

namespace rqfs::fs {

namespace {

using torrent::Errc;
using torrent::Error;

Error refuse(std::string const& path, std::string const& why) {
    return torrent::error(Errc::not_allowed, "the mount point " + path + " " + why);
}

std::optional<std::string> real_path(std::string const& path) {
    std::unique_ptr<char, decltype(&std::free)> const real(::realpath(path.c_str(), nullptr), &std::free);
    if (!real) return std::nullopt;
    return std::string(real.get());
}

// A dead mount cannot be asked for its own path, but the directory it lies in can.
std::string absolute(std::string const& path) {
    if (auto real = real_path(path)) return *real;
    std::filesystem::path plain = std::filesystem::path(path).lexically_normal();
    if (!plain.has_filename()) plain = plain.parent_path();
    auto const parent = real_path(plain.has_parent_path() ? plain.parent_path().string() : ".");
    return parent ? (std::filesystem::path(*parent) / plain.filename()).string() : path;
}

std::optional<Error> check_directory(std::string const& path) {
    struct stat stat = {};
    if (::stat(path.c_str(), &stat) != 0) {
        if (errno == ENOENT) return refuse(path, "does not exist");
        if (errno == ENOTCONN) return refuse(path, "holds the dead mount of another program");
        return refuse(path, std::string("cannot be used: ") + std::strerror(errno));
    }
    if (!S_ISDIR(stat.st_mode)) return refuse(path, "is not a directory");
    if (auto const top = mounted_at(read_mount_table(), path); top && top->type == kMountType)
        return torrent::error(Errc::busy, "the mount point " + path + " is in use by another rqfs");
    // fusermount3 lets an ordinary user mount only where the user may write, and not on others' directories in /tmp.
    bool const foreign = (stat.st_mode & S_ISVTX) != 0 && stat.st_uid != ::getuid();
    if (::geteuid() != 0 && (foreign || ::access(path.c_str(), W_OK) != 0))
        return refuse(path, "is not yours to mount on");
    std::error_code code;
    bool const empty = std::filesystem::is_empty(path, code);
    if (code) return refuse(path, "cannot be read: " + code.message());
    if (!empty) return refuse(path, "is not empty");
    return std::nullopt;
}

bool fuse_conf_allows_other() {
    std::ifstream conf("/etc/fuse.conf");
    for (std::string line; std::getline(conf, line);) {
        auto const begin = line.find_first_not_of(" \t");
        auto const end = line.find_last_not_of(" \t");
        if (begin != std::string::npos && line.substr(begin, end - begin + 1) == "user_allow_other") return true;
    }
    return false;
}

std::optional<Error> check_fuse(bool allow_other) {
    if (::access("/dev/fuse", F_OK) != 0)
        return torrent::error(
            Errc::unsupported,
            "this machine has no /dev/fuse; load the kernel module fuse, or give the container the device");
    if (::access("/dev/fuse", R_OK | W_OK) != 0)
        return torrent::error(Errc::not_allowed, "you may not use /dev/fuse; its mode should be 0666");
    if (allow_other && ::geteuid() != 0 && !fuse_conf_allows_other())
        return torrent::error(Errc::not_allowed, "allow_other needs a line user_allow_other in /etc/fuse.conf");
    return std::nullopt;
}

}  // namespace

torrent::Result<std::string> prepare_mount_point(std::string const& path, bool allow_other) {
    auto real = absolute(path);
    if (auto const detached = detach_stale_mount(real); !detached) return detached.error();
    if (auto const failure = check_directory(real)) return *failure;
    if (auto const failure = check_fuse(allow_other)) return *failure;
    return real;
}

}  // namespace rqfs::fs
