#include "torrent/reader_policy.h"

#include <algorithm>
#include <array>
#include <span>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kCommLength = 15;  // proc(5)

constexpr std::array<std::string_view, 14> kCopiers{"cp",      "rsync",  "dd",          "cat", "sha256sum",
                                                    "sha1sum", "md5sum", "b2sum",       "cmp", "tar",
                                                    "rclone",  "scp",    "sftp-server", "mv"};

// Of GNOME, KDE, Xfce and servers; kioworker is not among them, because it copies for Dolphin too, nor ffmpeg, with which
// servers play. Jellyfin and Emby look at films with ffprobe.
constexpr std::array<std::string_view, 30> kScanners{"ffprobe",
                                                     "ffdetect",
                                                     "Plex Media Scanner",
                                                     "gst-discoverer-1.0",
                                                     "gst-typefind-1.0",
                                                     "localsearch",
                                                     "baloo_filemetadata_temp_extractor",
                                                     "totem-video-thumbnailer",
                                                     "ffmpegthumbnailer",
                                                     "gst-thumbnailers",
                                                     "gdk-pixbuf-thumbnailer",
                                                     "evince-thumbnailer",
                                                     "papers-thumbnailer",
                                                     "gsf-office-thumbnailer",
                                                     "raw-thumbnailer",
                                                     "tumblerd",
                                                     "pcmanfm-thumbnailer",
                                                     "thumbnail.so",
                                                     "tracker-extract-3",
                                                     "tracker-extract",
                                                     "tracker-miner-fs-3",
                                                     "tracker-miner-fs",
                                                     "localsearch-3",
                                                     "localsearch-extractor-3",
                                                     "baloo_file",
                                                     "baloo_file_extractor",
                                                     "minidlnad",
                                                     "mediainfo",
                                                     "exiftool",
                                                     "file"};

bool is_one_of(std::string_view name, auto const& list) {
    return std::ranges::any_of(list, [name](std::string_view known) { return known.substr(0, kCommLength) == name; });
}

bool listed(std::string_view name, std::vector<std::string> const& chosen, std::span<std::string_view const> usual) {
    return chosen.empty() ? is_one_of(name, usual) : is_one_of(name, chosen);
}

}  // namespace

ProgramKind program_kind(std::string_view name, StreamSettings const& settings) {
    name = name.substr(0, kCommLength);
    if (name.empty()) return ProgramKind::unknown;
    if (listed(name, settings.scanners, kScanners)) return ProgramKind::scanner;
    if (listed(name, settings.copiers, kCopiers)) return ProgramKind::copier;
    return ProgramKind::unknown;
}

}  // namespace rqfs::torrent
