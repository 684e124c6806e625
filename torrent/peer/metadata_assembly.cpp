#include "torrent/peer/metadata_assembly.h"

#include <algorithm>
#include <cassert>
#include <chrono>

namespace rqfs::torrent {

namespace {

constexpr std::chrono::seconds kOverdue{1};
constexpr std::int64_t kMostDoublings = 6;

}  // namespace

std::uint32_t MetadataAssembly::part_bytes(std::uint32_t part) const {
    assert(part < parts());
    return std::min(kBlockBytes, bytes_ - part * kBlockBytes);
}

std::uint32_t MetadataAssembly::copies_allowed(std::uint32_t part, TimePoint now) const {
    auto const doublings = std::min<std::int64_t>((now - parts_[part].first_asked) / kOverdue, kMostDoublings);
    return 1u << std::max<std::int64_t>(doublings, 0);
}

void MetadataAssembly::asked(std::uint32_t part, TimePoint now) {
    if (parts_.empty()) parts_.resize(parts());
    auto& asked = parts_[part];
    if (asked.copies++ == 0) asked.first_asked = now;
}

void MetadataAssembly::unasked(std::uint32_t part) {
    assert(part < parts_.size() && parts_[part].copies > 0);
    --parts_[part].copies;
}

std::optional<TimePoint> MetadataAssembly::next_overdue() const {
    std::optional<TimePoint> next;
    for (auto const& part : parts_) {
        if (!part.bytes.empty() || part.copies == 0) continue;
        std::int64_t doublings = 0;
        while (doublings < kMostDoublings && (1u << doublings) <= part.copies) ++doublings;
        auto const when = part.first_asked + doublings * kOverdue;
        if ((1u << doublings) > part.copies && (!next || when < *next)) next = when;
    }
    return next;
}

void MetadataAssembly::store(std::uint32_t part, PeerHandle from, std::span<std::byte const> bytes, TimePoint now) {
    assert(!has(part) && bytes.size() == part_bytes(part));
    if (parts_.empty()) parts_.resize(parts());
    parts_[part].bytes.assign(bytes.begin(), bytes.end());
    parts_[part].from = from;
    if (held_++ == 0) begun_ = now;
    held_bytes_ += bytes.size();
    last_progress_ = now;
    while (first_missing_ < parts() && has(first_missing_)) ++first_missing_;
}

std::vector<PeerHandle> MetadataAssembly::contributors() const {
    std::vector<PeerHandle> peers;
    for (auto const& part : parts_)
        if (!part.bytes.empty()) peers.push_back(part.from);
    std::sort(peers.begin(), peers.end());
    peers.erase(std::unique(peers.begin(), peers.end()), peers.end());
    return peers;
}

std::vector<std::byte> MetadataAssembly::join() const {
    assert(missing() == 0);
    std::vector<std::byte> all;
    all.reserve(bytes_);
    for (auto const& part : parts_) all.insert(all.end(), part.bytes.begin(), part.bytes.end());
    return all;
}

void MetadataAssembly::drop_data() {
    for (auto& part : parts_) part.bytes = {};
    first_missing_ = held_ = 0;
    held_bytes_ = 0;
}

}  // namespace rqfs::torrent
