#include "fs/media_index.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace rqfs::fs {

namespace {

constexpr std::size_t kHeadBytes = 64;  // enough for every sign below

constexpr std::array<std::string_view, 9> kZipNames{".zip",  ".cbz",  ".epub", ".jar", ".apk",
                                                    ".docx", ".xlsx", ".odt",  ".whl"};
constexpr std::array<std::string_view, 3> kIsoNames{".iso", ".udf", ".img"};
// Atoms an mp4 or mov may begin with (ISO 14496-12; QuickTime's `wide` and `pnot`).
constexpr std::array<std::string_view, 9> kFirstAtoms{"ftyp", "styp", "moov", "mdat", "free",
                                                      "skip", "wide", "pnot", "sidx"};

template <std::size_t N>
bool ends_in(std::string_view name, std::array<std::string_view, N> const& suffixes) {
    return std::any_of(suffixes.begin(), suffixes.end(), [name](auto suffix) {
        if (name.size() < suffix.size()) return false;
        return std::equal(suffix.begin(), suffix.end(), name.end() - static_cast<std::ptrdiff_t>(suffix.size()),
                          [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b); });
    });
}

MediaWalk walk_by_content(MediaBytes head, MediaScan& scan) {
    auto const atom = head.text(4, 4);
    if (std::find(kFirstAtoms.begin(), kFirstAtoms.end(), atom) != kFirstAtoms.end()) return walk_mp4(scan);
    if (head.big(0, 4) == 0x1A45DFA3) return walk_matroska(scan);
    if (head.text(0, 4) == "RIFF" && head.text(8, 4) == "AVI ") return walk_avi(scan);
    for (auto const* const sign : {"PK\3\4", "PK\5\6", "PK\7\x8"})
        if (head.text(0, 4) == sign) return walk_zip(scan);
    // The first sixteen sectors of an image mean nothing and are most often zero.
    if (head.size() == kHeadBytes && head.big(0, 8) == 0 && head.big(8, 8) == 0) return walk_iso(scan);
    return {};
}

}  // namespace

MediaIndex::MediaIndex(std::uint64_t file_bytes, std::string_view name) : scan_(file_bytes) {
    if (ends_in(name, kZipNames) || ends_in(name, kIsoNames)) {
        scan_.recognized();
        walk_ = ends_in(name, kZipNames) ? walk_zip(scan_) : walk_iso(scan_);
    } else {
        static_cast<void>(scan_.bytes(0, kHeadBytes));
    }
}

void MediaIndex::feed(std::span<std::byte const> bytes) {
    assert(next() && bytes.size() == next()->size());
    scan_.give(bytes);
    if (walk_)
        walk_.resume();
    else
        walk_ = walk_by_content(bytes, scan_);
}

}  // namespace rqfs::fs
