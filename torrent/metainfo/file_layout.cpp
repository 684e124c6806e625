#include "torrent/metainfo/file_layout.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace rqfs::torrent {

FileLayout::FileLayout(std::vector<std::uint64_t> const& file_bytes) {
    ends_.reserve(file_bytes.size());
    std::uint64_t end = 0;
    for (auto const bytes : file_bytes) {
        assert(bytes <= std::numeric_limits<std::uint64_t>::max() - end);
        end += bytes;
        ends_.push_back(end);
    }
}

ByteRange FileLayout::range(FileIndex file) const {
    assert(file.value() < files());
    return {file.value() == 0 ? 0 : ends_[file.value() - 1], ends_[file.value()]};
}

ByteRange FileLayout::in_torrent(FileIndex file, ByteRange range) const {
    auto const whole = this->range(file);
    assert(range.begin <= range.end && range.end <= whole.size());
    return {whole.begin + range.begin, whole.begin + range.end};
}

std::vector<FileLayout::Part> FileLayout::parts(ByteRange range) const {
    assert(range.end <= total_bytes() || range.empty());
    std::vector<Part> touched;
    if (range.empty()) return touched;
    auto const first = std::upper_bound(ends_.begin(), ends_.end(), range.begin);
    for (auto file = FileIndex(static_cast<std::uint32_t>(first - ends_.begin())); file.value() < files(); ++file) {
        auto const whole = this->range(file);
        if (whole.begin >= range.end) break;
        if (whole.empty()) continue;
        touched.push_back(
            {file, {std::max(range.begin, whole.begin) - whole.begin, std::min(range.end, whole.end) - whole.begin}});
    }
    return touched;
}

}  // namespace rqfs::torrent
