#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::fs {

// One line of /proc/self/mountinfo.
struct MountEntry {
    int id = 0;        // never the same for two mounts at one time
    std::string path;  // unescaped
    std::string type;  // "fuse.rqfs" is ours
    std::string source;

    friend bool operator==(MountEntry const&, MountEntry const&) = default;
};

inline constexpr std::string_view kMountType = "fuse.rqfs";

// The text of mountinfo(5) in its order, in which a later mount covers earlier ones at the same path. Pure; lines of
// another form are left out.
std::vector<MountEntry> parse_mount_table(std::string_view text);

// The same of this process, now. Does not touch the mounts themselves, but may wait for the kernel's mount lock: for a
// worker.
std::vector<MountEntry> read_mount_table();

// What is mounted on top at `path`.
std::optional<MountEntry> mounted_at(std::vector<MountEntry> const& table, std::string_view path);
bool has_mount(std::vector<MountEntry> const& table, int id);

}  // namespace rqfs::fs
