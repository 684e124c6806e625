#include "torrent/swarm/kept_index.h"

#include "torrent/settings.h"

#include <algorithm>
#include <utility>

namespace rqfs::torrent {

namespace {

constexpr std::uint64_t kPartBytes = 128u << 10;  // what the kernel reads at once

}  // namespace

void KeptIndex::want(std::vector<ByteRange> const& ranges, ByteRange where, PieceLayout const& layout) {
    auto before = std::exchange(parts_, {});
    std::uint64_t wanted = 0;
    for (auto const& range : ranges) {
        auto const end = std::min((range.end + kPartBytes - 1) / kPartBytes * kPartBytes, where.size());
        for (auto at = range.begin / kPartBytes * kPartBytes; at < end && wanted < limit::kKeptIndexBytesPerFile;) {
            auto const begin = where.begin + at;
            auto const unit_end = where.begin + std::min((at / kPartBytes + 1) * kPartBytes, where.size());
            auto const part_end = std::min(unit_end, layout.range(layout.piece_at(begin)).end);
            at = part_end - where.begin;
            auto const [part, is_new] = parts_.try_emplace(begin, Part{part_end, std::nullopt});
            if (!is_new) continue;
            wanted += part_end - begin;
            if (auto const held = before.find(begin); held != before.end())
                std::swap(part->second.bytes, held->second.bytes);
        }
    }
    for (auto const& [begin, part] : before) {
        if (!part.bytes) continue;
        bytes_ -= part.bytes->size();
        all_bytes_ -= part.bytes->size();
    }
}

std::vector<ByteRange> KeptIndex::missing(ByteRange range) const {
    std::vector<ByteRange> missing;
    for (auto part = parts_.lower_bound(range.begin); part != parts_.end() && part->second.end <= range.end; ++part)
        if (!part->second.bytes) missing.push_back({part->first, part->second.end});
    return missing;
}

void KeptIndex::put(ByteRange range, std::span<std::byte const> bytes) {
    auto const part = parts_.find(range.begin);
    if (part == parts_.end() || part->second.end != range.end || part->second.bytes) return;
    if (all_bytes_ + bytes.size() > limit::kKeptIndexBytes) return;
    part->second.bytes.emplace(std::vector<std::byte>(bytes.begin(), bytes.end()));
    bytes_ += bytes.size();
    all_bytes_ += bytes.size();
}

std::optional<SharedBytes> KeptIndex::find(ByteRange range) const {
    auto part = parts_.upper_bound(range.begin);
    if (part == parts_.begin() || range.empty()) return std::nullopt;
    --part;
    auto const held = [&](auto const& each) { return each != parts_.end() && each->second.bytes.has_value(); };
    if (held(part) && range.end <= part->second.end)
        return part->second.bytes->slice(static_cast<std::size_t>(range.begin - part->first),
                                         static_cast<std::size_t>(range.size()));
    std::vector<std::byte> all;
    for (auto at = range.begin; at < range.end; ++part) {
        if (!held(part) || part->first > at || part->second.end <= at) return std::nullopt;
        auto const end = std::min(range.end, part->second.end);
        auto const bytes = part->second.bytes->bytes().subspan(static_cast<std::size_t>(at - part->first),
                                                               static_cast<std::size_t>(end - at));
        all.insert(all.end(), bytes.begin(), bytes.end());
        at = end;
    }
    return SharedBytes(std::move(all));
}

}  // namespace rqfs::torrent
