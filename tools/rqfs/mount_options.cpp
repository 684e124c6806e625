#include "tools/rqfs/mount_options.h"

#include "tools/control/text.h"
#include "tools/rqfs/config_values.h"

#include <algorithm>
#include <array>
#include <string>

namespace rqfs::tools {

namespace {

using torrent::Errc;
using torrent::error;
using torrent::Result;

// mount(8), "FILESYSTEM-INDEPENDENT MOUNT OPTIONS", and what libfuse's mount.fuse adds.
constexpr std::array<std::string_view, 39> kPassedOver{"ro",         "rw",          "defaults",
                                                       "auto",       "noauto",      "user",
                                                       "nouser",     "users",       "owner",
                                                       "group",      "dev",         "nodev",
                                                       "suid",       "nosuid",      "exec",
                                                       "noexec",     "async",       "sync",
                                                       "dirsync",    "atime",       "noatime",
                                                       "diratime",   "nodiratime",  "relatime",
                                                       "norelatime", "strictatime", "nostrictatime",
                                                       "lazytime",   "nolazytime",  "nofail",
                                                       "_netdev",    "loud",        "silent",
                                                       "mand",       "nomand",      "iversion",
                                                       "noiversion", "nosymfollow", "default_permissions"};

constexpr std::array<std::string_view, 6> kPassedOverPrefixes{
    "x-", "X-", "comment=", "fsname=", "subtype=", "context="};

bool is_passed_over(std::string_view option) {
    auto const begins = [&](std::string_view prefix) { return option.starts_with(prefix); };
    return option.empty() || std::find(kPassedOver.begin(), kPassedOver.end(), option) != kPassedOver.end() ||
           std::any_of(kPassedOverPrefixes.begin(), kPassedOverPrefixes.end(), begins);
}

torrent::Error wrong_value(std::string_view option, std::string_view expected) {
    return error(Errc::malformed, "-o " + printable(option) + ": " + std::string(expected) + " was expected");
}

}  // namespace

Result<MountOptions> parse_mount_options(std::string_view text, MountOptions options) {
    while (!text.empty()) {
        auto const comma = text.find(',');
        auto const option = text.substr(0, comma);
        text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
        auto const value = option.substr(std::min(option.size(), option.find('=') + 1));
        if (option == "allow_other") {
            options.allow_other = true;
        } else if (option.starts_with("uid=")) {
            options.uid = parse_user_id(value);
            if (!options.uid) return wrong_value(option, "a number from 0 to 4294967294");
        } else if (option.starts_with("gid=")) {
            options.gid = parse_user_id(value);
            if (!options.gid) return wrong_value(option, "a number from 0 to 4294967294");
        } else if (option.starts_with("umask=")) {
            options.umask = parse_umask(value);
            if (!options.umask) return wrong_value(option, "octal digits from 0 to 0777");
        } else if (!is_passed_over(option)) {
            return error(
                Errc::malformed,
                "-o " + printable(option) + ": unknown mount option; there are allow_other, uid=, gid=, umask= and ro");
        }
    }
    return options;
}

}  // namespace rqfs::tools
