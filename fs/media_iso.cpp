#include "fs/media_scan.h"

#include <cstdint>

namespace rqfs::fs {

// ECMA-119 (ISO 9660) and ECMA-167 (UDF): descriptors from sector 16 on, which name the root directory and the path
// table of ISO 9660; of UDF they say that it is there. It begins at sector 256, and its directories may lie anywhere:
// so also those of an image that has both, of which players read UDF.

namespace {

constexpr std::uint64_t kSectorBytes = 2048;
constexpr std::uint64_t kFirstDescriptor = 16;
constexpr std::uint64_t kMostDescriptors = 32;  // two or three of a usual image, and three of UDF
constexpr std::uint64_t kUdfAnchor = 256;

// A primary or supplementary (Joliet) volume: where its names are.
void take_volume(MediaScan& scan, MediaBytes descriptor) {
    auto const block = descriptor.little(128, 2);
    auto const need = [&scan, block](std::uint64_t begin, std::uint64_t bytes) {
        if (begin > 0) scan.needed_first({begin * block, begin * block + bytes});
    };
    need(descriptor.little(158, 4), descriptor.little(166, 4));  // the root's extent
    need(descriptor.little(140, 4), descriptor.little(132, 4));  // the path table
}

}  // namespace

MediaWalk walk_iso(MediaScan& scan) {
    bool directories_known = false;
    bool more_elsewhere = false;
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
        if (iso && (type == 1 || type == 2)) {
            take_volume(scan, descriptor);
            directories_known = true;
        }
        if (udf) {
            scan.needed_first({kUdfAnchor * kSectorBytes, (kUdfAnchor + 1) * kSectorBytes});
            more_elsewhere = true;
        }
        if (sign == "TEA01") break;
    }
    if (directories_known && !more_elsewhere) scan.index_known();
}

}  // namespace rqfs::fs
