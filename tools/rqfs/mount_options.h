#pragma once

#include "torrent/error.h"

#include <sys/types.h>

#include <optional>
#include <string_view>

namespace rqfs::tools {

// What -o of rqfs and mount(8) may say. The mount is read-only in any case: `ro` and `rw` are the same.
struct MountOptions {
    bool allow_other = false;
    std::optional<uid_t> uid;
    std::optional<gid_t> gid;
    std::optional<mode_t> umask;
};

// Adds "allow_other,uid=1000,..." to `options`. What mount(8) hands to every helper (rw, nofail, x-systemd.automount,
// ...) is passed over; an unknown option is an error that names it.
torrent::Result<MountOptions> parse_mount_options(std::string_view text, MountOptions options = {});

}  // namespace rqfs::tools
