#include "fs/media_scan.h"

#include <algorithm>
#include <array>
#include <optional>

namespace rqfs::fs {

// PKWARE's APPNOTE: the directory of a ZIP lies before its end record, which ends the file but for a comment.

namespace {

constexpr std::uint64_t kEndBytes = 22;
constexpr std::uint64_t kMostComment = 65'535;
constexpr std::uint64_t kLocatorBytes = 20;  // of zip64: lies before the end record
constexpr std::uint64_t kEnd64Bytes = 56;
// Hardly any has a comment, so a little is looked at before the most that may be.
constexpr std::array<std::uint64_t, 2> kTails{1024, kEndBytes + kMostComment};

// The offset of the last end record whose comment fits.
std::optional<std::size_t> find_end(MediaBytes tail) {
    for (auto at = tail.size(); at-- > 0;)
        if (tail.text(at, 4) == "PK\5\6" && tail.holds(at, kEndBytes + tail.little(at + 20, 2))) return at;
    return std::nullopt;
}

struct Directory {
    std::uint64_t size = 0;
    std::uint64_t end = 0;  // where the first record behind it begins
    bool is_zip64 = false;
};

}  // namespace

MediaWalk walk_zip(MediaScan& scan) {
    scan.recognized();
    auto const file = scan.file_bytes();
    std::optional<Directory> found;
    for (std::size_t i = 0; i < kTails.size() && !found; ++i) {
        auto const begin = file - std::min(file, kTails[i]);
        MediaBytes const tail = co_await scan.bytes(begin, kTails[i]);
        auto const at = find_end(tail);
        if (!at) continue;
        auto const size = tail.little(*at + 12, 4);
        bool const wide =
            size == 0xFFFFFFFF || tail.little(*at + 16, 4) == 0xFFFFFFFF || tail.little(*at + 10, 2) == 0xFFFF;
        found = Directory{size, begin + *at, wide};
    }
    if (!found) co_return;
    if (found->is_zip64 && found->end >= kLocatorBytes) {
        MediaBytes const locator = co_await scan.bytes(found->end - kLocatorBytes, kLocatorBytes);
        if (locator.text(0, 4) != "PK\6\7") co_return;
        auto const at = locator.little(8, 8);
        MediaBytes const record = co_await scan.bytes(at, kEnd64Bytes);
        if (record.text(0, 4) != "PK\6\6") co_return;
        found = Directory{record.little(40, 8), at, true};
    }
    if (found->size > found->end) co_return;
    // Counted from its end: something may have been put before the first file.
    scan.needed_first({found->end - found->size, file});
    scan.index_known();
}

}  // namespace rqfs::fs
