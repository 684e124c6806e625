#include "fs/media_index.h"
#include "fs/settings.h"
#include "tests/fuzz/require.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

using namespace rqfs::fs;
using rqfs::tests::require;
using rqfs::torrent::ByteRange;

namespace {

constexpr std::array<std::string_view, 3> kNames{"film", "a.zip", "a.iso"};
constexpr std::uint64_t kHole = std::uint64_t{1} << 40;  // in the middle of some files: far places lie in the file

void check(std::vector<ByteRange> const& ranges, std::uint64_t size) {
    require(ranges.size() <= limit::kMediaRanges + 1, "no more ranges than the limit");
    std::uint64_t sum = 0;
    for (auto const& range : ranges) {
        require(range.begin < range.end && range.end <= size, "ranges lie in the file");
        sum += range.size();
    }
    require(sum <= limit::kMediaIndexBytes + limit::kMediaStepBytes, "no more bytes than the limit");
}

}  // namespace

// The first byte chooses a name, and whether the rest is a file as it is or the two ends of a huge one.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    auto const bytes = std::as_bytes(std::span(data, size)).subspan(1);
    auto const head = data[0] & 4 ? bytes.size() / 2 : bytes.size();
    auto const hole = data[0] & 4 ? kHole : 0;
    auto const file_bytes = bytes.size() + hole;
    MediaIndex index(file_bytes, kNames[data[0] % 3]);
    std::size_t steps = 0;
    for (; auto const wanted = index.next(); ++steps) {
        require(wanted->begin < wanted->end && wanted->end <= file_bytes, "looks lie in the file");
        require(wanted->size() <= limit::kMediaStepBytes, "looks are small");
        std::vector<std::byte> given(wanted->size());
        for (std::uint64_t i = 0; i < given.size(); ++i) {
            auto const at = wanted->begin + i;
            if (at < head) given[i] = bytes[at];
            if (at >= head + hole) given[i] = bytes[at - hole];
        }
        index.feed(given);
        auto const hints = index.hints();
        check(hints.first, file_bytes);
        check(hints.later, file_bytes);
    }
    require(steps <= limit::kMediaSteps, "no more looks than the limit");
    auto const hints = index.hints();
    check(hints.first, file_bytes);
    check(hints.later, file_bytes);
    require(hints.duration >= hints.duration.zero() &&
                hints.duration <= limit::kMediaMostDuration + std::chrono::seconds(1),
            "durations are likely");
    return 0;
}
