#include "fs/media_guide.h"

#include "fs/settings.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

namespace rqfs::fs {

using torrent::ByteRange;
using torrent::SharedBytes;

namespace {

// The bytes of `slices` from `skip` on, `count` of them at most.
std::vector<std::byte> join(std::vector<SharedBytes> const& slices, std::uint64_t skip, std::uint64_t count) {
    std::vector<std::byte> joined;
    for (auto const& slice : slices) {
        auto const from = std::min<std::uint64_t>(skip, slice.size());
        auto const part =
            slice.bytes().subspan(from, std::min<std::uint64_t>(count - joined.size(), slice.size() - from));
        joined.insert(joined.end(), part.begin(), part.end());
        skip -= from;
    }
    return joined;
}

}  // namespace

bool MediaGuide::look(torrent::Stream& stream, ByteRange read, std::vector<SharedBytes> const& answer) {
    bool moved = false;
    while (auto const wanted = index_.next()) {
        std::vector<std::byte> bytes;
        if (read.begin <= wanted->begin && wanted->end <= read.end) {
            bytes = join(answer, wanted->begin - read.begin, wanted->size());
        } else {
            auto const peeked = stream.peek(*wanted);
            if (!peeked) break;
            bytes = join(*peeked, 0, wanted->size());
        }
        if (bytes.size() != wanted->size()) return false;
        index_.feed(bytes);
        moved = true;
    }
    if (moved || fruitless_ == 0) tell(stream);
    fruitless_ = moved ? 1 : fruitless_ + 1;
    return index_.next() && fruitless_ < limit::kMediaFruitlessReads;
}

void MediaGuide::tell(torrent::Stream& stream) {
    auto hints = index_.hints();
    if (hints == told_) return;
    stream.hint(hints);
    told_ = std::move(hints);
}

}  // namespace rqfs::fs
