#include "torrent/reader_policy.h"

#include <algorithm>
#include <array>
#include <span>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kCommLength = 15;  // proc(5)

// Tools, file managers (those of KDE copy in a process for each protocol) and backups, which read from end to end. Not
// those that play or stream as well (ffmpeg, smbd, curl), nor those that look for what they read (unzip, 7z, players'
// own copying of streams). What `cat` and `pv` feed to a player is a copy as well, and goes as fast as one.
constexpr auto kCopiers = std::to_array<std::string_view>({"cp",           "mv",
                                                           "install",      "rsync",
                                                           "rclone",       "scp",
                                                           "sftp-server",  "dd",
                                                           "ddrescue",     "cat",
                                                           "pv",           "tar",
                                                           "bsdtar",       "cpio",
                                                           "zip",          "gzip",
                                                           "pigz",         "bzip2",
                                                           "xz",           "zstd",
                                                           "cmp",          "cksum",
                                                           "md5sum",       "sha1sum",
                                                           "sha224sum",    "sha256sum",
                                                           "sha384sum",    "sha512sum",
                                                           "b2sum",        "b3sum",
                                                           "shasum",       "xxhsum",
                                                           "rhash",        "hashdeep",
                                                           "par2",         "openssl",
                                                           "nautilus",     "nemo",
                                                           "caja",         "Thunar",
                                                           "thunar",       "dolphin",
                                                           "kioworker",    "kioslave5",
                                                           "file.so",      "pcmanfm",
                                                           "pcmanfm-qt",   "spacefm",
                                                           "krusader",     "doublecmd",
                                                           "mc",           "vifm",
                                                           "lf",           "gio",
                                                           "kioclient",    "kioclient5",
                                                           "FreeFileSync", "FreeFileSync_x86_64",
                                                           "borg",         "restic",
                                                           "kopia",        "duplicity",
                                                           "syncthing"});

// Of GNOME, KDE, Xfce and servers; kioworker is not among them, because it copies for Dolphin too, nor ffmpeg, with
// which servers play, nor minidlnad, which sends films under the name it scans with. Jellyfin and Emby look at films
// with ffprobe.
constexpr auto kScanners = std::to_array<std::string_view>({"ffprobe",
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
                                                            "mediainfo",
                                                            "exiftool",
                                                            "file"});

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
