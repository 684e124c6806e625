#include "fs/media_scan.h"
#include "fs/media_udf.h"
#include "fs/settings.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>

namespace rqfs::fs {

// ECMA-119 (ISO 9660): descriptors from sector 16 on, which name the root directory and the path table, and say whether
// UDF is there, too (fs/media_udf.h). Of an image of both players read UDF.

namespace {

constexpr std::uint64_t kSectorBytes = 2048;
constexpr std::uint64_t kFirstDescriptor = 16;
constexpr std::uint64_t kMostDescriptors = 32;  // two or three of a usual image, and three of UDF

// Directories that were named, from the root down, each once.
class IsoDirectories {
public:
    explicit IsoDirectories(MediaScan& scan) : scan_(scan) {}

    // A primary or supplementary (Joliet) volume: where its names are.
    void take_volume(MediaBytes descriptor) {
        auto const block = descriptor.little(128, 2);
        want(descriptor.little(158, 4) * block, descriptor.little(166, 4), block);
        // The path table, twice: numbers with the least and with the most significant byte first.
        for (auto const table : {descriptor.little(140, 4) * block, descriptor.big(148, 4) * block})
            if (table > 0) scan_.needed_first({table, table + descriptor.little(132, 4)});
    }
    std::optional<torrent::ByteRange> next() {
        if (looks_.empty()) return std::nullopt;
        current_ = looks_.front();
        looks_.pop_front();
        return current_.range;
    }
    // Records, of which none crosses the end of a sector: what is left of it is zero.
    void take(MediaBytes directory) {
        constexpr std::uint64_t kDirectory = 2;
        for (std::size_t at = 0; at < directory.size();) {
            auto const record = directory.part(at, directory.little(at, 1));
            if (record.size() < kRecordBytes) {
                at = (at / kSectorBytes + 1) * kSectorBytes;
                continue;
            }
            if ((record.little(25, 1) & kDirectory) != 0)
                want(record.little(2, 4) * current_.block, record.little(10, 4), current_.block);
            at += record.size();
        }
    }

private:
    static constexpr std::size_t kRecordBytes = 34;  // with a name of one byte

    struct Look {
        torrent::ByteRange range;
        std::uint64_t block = kSectorBytes;  // bytes of one, of the volume that it is in
    };

    void want(std::uint64_t begin, std::uint64_t bytes, std::uint64_t block) {
        auto const end = std::min(begin + bytes, scan_.file_bytes());
        if (begin == 0 || begin >= end || seen_.size() >= limit::kMediaDirectories || !seen_.insert(begin).second)
            return;
        scan_.needed_first({begin, end});
        looks_.push_back({{begin, end}, block});
    }

    MediaScan& scan_;
    std::deque<Look> looks_;
    Look current_{};
    std::set<std::uint64_t> seen_;
};

}  // namespace

MediaWalk walk_iso(MediaScan& scan) {
    IsoDirectories directories(scan);
    bool has_udf = false;
    bool has_iso = false;
    for (std::uint64_t i = 0; i < kMostDescriptors; ++i) {
        auto const begin = (kFirstDescriptor + i) * kSectorBytes;
        MediaBytes const descriptor = co_await scan.bytes(begin, kSectorBytes);
        auto const sign = descriptor.text(1, 5);
        auto const type = descriptor.little(0, 1);
        bool const iso = sign == "CD001";
        bool const udf = sign == "NSR02" || sign == "NSR03";
        if (!iso && !udf && sign != "BEA01" && sign != "TEA01" && sign != "BOOT2") break;
        scan.recognized();
        scan.needed_first({begin, begin + kSectorBytes});
        has_iso = has_iso || (iso && type == 1);
        has_udf = has_udf || udf;
        if (iso && (type == 1 || type == 2)) directories.take_volume(descriptor);
        if (sign == "TEA01") break;
    }
    if (has_iso && !has_udf) scan.index_known();
    if (has_udf) {
        UdfDirectories udf(scan);
        while (auto const look = udf.next()) {
            MediaBytes const bytes = co_await scan.bytes(look->begin, look->size());
            udf.take(bytes);
        }
    }
    while (auto const look = directories.next()) {
        MediaBytes const bytes = co_await scan.bytes(look->begin, look->size());
        directories.take(bytes);
    }
}

}  // namespace rqfs::fs
