#include "cache/memory_tier.h"

#include "cache/settings.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

namespace rqfs::cache {

using torrent::ByteRange;
using torrent::PieceIndex;
using torrent::SharedBytes;

void MemoryTier::put_unwritten(TorrentKey torrent, PieceIndex piece, SharedBytes bytes) {
    erase(torrent, piece);
    unwritten_bytes_ += bytes.size();
    unwritten_.emplace(Key{torrent, piece, kWhole}, std::move(bytes));
    evict();
}

void MemoryTier::written(TorrentKey torrent, PieceIndex piece) {
    auto const place = unwritten_.find(Key{torrent, piece, kWhole});
    if (place == unwritten_.end()) return;
    auto bytes = std::move(place->second);
    unwritten_.erase(place);
    unwritten_bytes_ -= bytes.size();
    auto const size = bytes.size();
    evictable_.put(Key{torrent, piece, kWhole}, std::move(bytes), size);
    evict();
}

void MemoryTier::put_run(TorrentKey torrent, PieceIndex piece, std::uint32_t run, SharedBytes bytes) {
    auto const size = bytes.size();
    evictable_.put(Key{torrent, piece, run}, std::move(bytes), size);
    evict();
}

SharedBytes const* MemoryTier::use(Key const& key) {
    if (key.run == kWhole) {
        auto const place = unwritten_.find(key);
        if (place != unwritten_.end()) return &place->second;
    }
    return evictable_.use(key);
}

std::optional<SharedBytes> MemoryTier::find(TorrentKey torrent, PieceIndex piece, ByteRange range) {
    if (range.empty()) return SharedBytes();
    if (auto const* bytes = use(Key{torrent, piece, kWhole})) return bytes->slice(range.begin, range.size());
    auto const run = range.begin / kRunBytes;
    auto const begin = run * kRunBytes;
    if (range.end > begin + kRunBytes) return join(torrent, piece, range);
    auto const* bytes = use(Key{torrent, piece, static_cast<std::uint32_t>(run)});
    if (bytes == nullptr || range.end > begin + bytes->size()) return std::nullopt;
    return bytes->slice(range.begin - begin, range.size());
}

std::optional<SharedBytes> MemoryTier::join(TorrentKey torrent, PieceIndex piece, ByteRange range) {
    auto const last = (range.end - 1) / kRunBytes;
    for (auto run = range.begin / kRunBytes; run <= last; ++run)
        if (!holds_run(torrent, piece, static_cast<std::uint32_t>(run))) return std::nullopt;
    std::vector<std::byte> all;
    all.reserve(range.size());
    for (auto run = range.begin / kRunBytes; run <= last; ++run) {
        auto const* part = use(Key{torrent, piece, static_cast<std::uint32_t>(run)});
        auto const begin = run * kRunBytes;
        auto const from = std::max(range.begin, begin) - begin;
        auto const to = std::min<std::uint64_t>(range.end - begin, kRunBytes);
        if (to > part->size()) return std::nullopt;
        auto const bytes = part->bytes().subspan(from, to - from);
        all.insert(all.end(), bytes.begin(), bytes.end());
    }
    return SharedBytes(std::move(all));
}

std::optional<SharedBytes> MemoryTier::whole(TorrentKey torrent, PieceIndex piece) {
    auto const* bytes = use(Key{torrent, piece, kWhole});
    if (bytes == nullptr) return std::nullopt;
    return *bytes;
}

bool MemoryTier::holds_run(TorrentKey torrent, PieceIndex piece, std::uint32_t run) const {
    Key const all{torrent, piece, kWhole};
    return unwritten_.contains(all) || evictable_.contains(all) || evictable_.contains(Key{torrent, piece, run});
}

void MemoryTier::erase(TorrentKey torrent, PieceIndex piece) {
    Key const first{torrent, piece, 0};
    Key const last{torrent, piece, kWhole};
    forget_unwritten(first, last);
    evictable_.erase_between(first, last);
}

void MemoryTier::erase(TorrentKey torrent) {
    Key const first{torrent, PieceIndex(0), 0};
    Key const last{torrent, PieceIndex(0xffffffff), kWhole};
    forget_unwritten(first, last);
    evictable_.erase_between(first, last);
}

void MemoryTier::forget_unwritten(Key const& first, Key const& last) {
    for (auto place = unwritten_.lower_bound(first); place != unwritten_.end() && !(last < place->first);) {
        unwritten_bytes_ -= place->second.size();
        place = unwritten_.erase(place);
    }
}

void MemoryTier::evict() {
    while (bytes() > budget_bytes_ && !evictable_.empty()) {
        auto const oldest = evictable_.oldest().key;
        evictable_.erase(oldest);
    }
}

}  // namespace rqfs::cache
