#include "fs/media_udf.h"

#include "fs/settings.h"

#include <algorithm>
#include <string_view>

namespace rqfs::fs {

using torrent::ByteRange;

namespace {

constexpr std::uint64_t kSector = 2048;
constexpr std::uint64_t kAnchor = 256;                 // also so many sectors before the end, or in the last
constexpr std::uint64_t kMostSequence = 32 * kSector;  // usually 16 sectors
constexpr std::size_t kMostPartitions = 8;             // a disc has one or two
constexpr std::size_t kMostExtents = 64;               // of one file
constexpr std::uint64_t kMostMetadata = 8u << 20;      // of the metadata file of a Blu-ray, which has 1 to 3 MiB
constexpr std::uint64_t kNearDirectory = 1u << 20;  // entries of files lie beside their directory, or beside the files
constexpr std::uint64_t kExtentBytes = (1u << 30) - 1;  // the two bits above say how it is used
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kNameBytes = 38;  // of a file identifier descriptor before what varies

enum Tag : std::uint64_t {
    kAnchorTag = 2,
    kPartitionTag = 5,
    kVolumeTag = 6,
    kTerminatorTag = 8,
    kFileSetTag = 256,
    kNameTag = 257,
    kEntryTag = 261,
    kExtendedEntryTag = 266,
};

// What the tag says that begins a descriptor; nothing when it is none: its checksum is of the other fifteen bytes.
std::optional<std::uint64_t> tag_of(MediaBytes descriptor) {
    if (!descriptor.holds(0, kTagBytes)) return std::nullopt;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kTagBytes; ++i) sum += i == 4 ? 0 : descriptor.little(i, 1);
    if ((sum & 0xFF) != descriptor.little(4, 1)) return std::nullopt;
    return descriptor.little(0, 2);
}

}  // namespace

// The content of a file or directory: rows of blocks, or the bytes themselves.
struct UdfDirectories::Entry {
    std::vector<Extent> extents;
    MediaBytes embedded;
};

UdfDirectories::UdfDirectories(MediaScan& scan) : scan_(scan) {
    auto const sectors = scan.file_bytes() / kSector;
    for (auto const sector :
         {kAnchor, std::max(sectors, kAnchor + 1) - kAnchor - 1, std::max<std::uint64_t>(sectors, 1) - 1})
        looks_.push_back({What::anchor, {sector * kSector, (sector + 1) * kSector}});
    scan_.needed_first(looks_.front().range);  // where everybody looks
}

std::optional<ByteRange> UdfDirectories::next() {
    if (looks_.empty()) return std::nullopt;
    current_ = looks_.front();
    looks_.pop_front();
    return current_.range;
}

void UdfDirectories::take(MediaBytes bytes) {
    switch (current_.what) {
        case What::anchor: take_anchor(bytes); break;
        case What::volumes: take_volumes(bytes); break;
        case What::metadata_file: take_metadata_file(bytes); break;
        case What::file_set: take_file_set(bytes); break;
        case What::entry: take_entry(bytes, current_.partition); break;
        case What::directory: take_directory(bytes); break;
    }
}

void UdfDirectories::want(What what, ByteRange range, std::size_t partition) {
    range.begin = std::min(range.begin, scan_.file_bytes());
    range.end = std::min(range.end, scan_.file_bytes());
    if (range.empty()) return;
    scan_.needed_first(range);
    looks_.push_back({what, range, partition});
}

void UdfDirectories::take_anchor(MediaBytes anchor) {
    if (tag_of(anchor) != kAnchorTag) return;
    looks_.clear();  // the other places
    scan_.needed_first(current_.range);
    auto const begin = anchor.little(20, 4) * kSector;
    want(What::volumes, {begin, begin + std::min(anchor.little(16, 4), kMostSequence)}, 0);
}

void UdfDirectories::take_volumes(MediaBytes sequence) {
    std::optional<MediaBytes> volume;
    for (std::size_t at = 0; at < sequence.size(); at += kSector) {
        auto const descriptor = sequence.part(at, kSector);
        auto const tag = tag_of(descriptor);
        if (!tag || tag == kTerminatorTag) break;
        if (tag == kPartitionTag && starts_.size() < kMostPartitions)
            starts_[descriptor.little(22, 2)] = descriptor.little(188, 4) * kSector;
        if (tag == kVolumeTag) volume = descriptor;
    }
    if (!volume || volume->little(212, 4) != kSector) return;
    file_set_block_ = volume->little(252, 4);
    file_set_partition_ = volume->little(256, 2);
    take_maps(*volume);
    if (metadata_) return;  // its file comes first
    if (auto const at = place_of(file_set_block_, file_set_partition_))
        want(What::file_set, {*at, *at + kSector}, file_set_partition_);
}

// How the volume's partitions lie in the image: as they are, or (Blu-ray) in a file of one of those.
void UdfDirectories::take_maps(MediaBytes volume) {
    auto const count = std::min<std::uint64_t>(volume.little(268, 4), kMostPartitions);
    for (std::size_t i = 0, at = 440; i < count && volume.holds(at, 6); ++i) {
        auto const map = volume.part(at, std::max<std::size_t>(volume.little(at + 1, 1), 6));
        bool const plain = map.little(0, 1) == 1;
        auto const start = starts_.find(map.little(plain ? 4 : 38, 2));
        auto& partition = partitions_.emplace_back();
        at += map.size();
        if (start == starts_.end()) continue;
        auto const rest = scan_.file_bytes() - std::min(scan_.file_bytes(), start->second);
        auto const name = map.text(5, 23);
        if (plain || name.starts_with("*UDF Sparable Partition")) {
            partition.extents.push_back({start->second, rest});
        } else if (name.starts_with("*UDF Metadata Partition")) {
            metadata_ = i;
            auto const file = start->second + map.little(40, 4) * kSector;
            // Its blocks are of the partition it lies in, until they are known.
            partition.extents.push_back({start->second, rest});
            want(What::metadata_file, {file, file + kSector}, i);
        }
    }
}

void UdfDirectories::take_metadata_file(MediaBytes block) {
    auto const entry = entry_of(block, current_.partition);
    if (!entry || !metadata_ || entry->extents.empty()) return;
    std::uint64_t left = kMostMetadata;
    for (auto const& extent : entry->extents) {
        auto const bytes = std::min(extent.bytes, left);
        scan_.needed_first({extent.begin, extent.begin + bytes});
        left -= bytes;
    }
    partitions_[*metadata_].extents = entry->extents;
    if (auto const at = place_of(file_set_block_, file_set_partition_))
        want(What::file_set, {*at, *at + kSector}, file_set_partition_);
}

void UdfDirectories::take_file_set(MediaBytes block) {
    if (tag_of(block) == kFileSetTag) want_entry(block.little(404, 4), block.little(408, 2));
}

void UdfDirectories::want_entry(std::uint64_t block, std::size_t partition) {
    auto const at = place_of(block, partition);
    if (!at || entries_.size() >= limit::kMediaDirectories || !entries_.insert(*at).second) return;
    want(What::entry, {*at, *at + kSector}, partition);
}

void UdfDirectories::take_entry(MediaBytes block, std::size_t partition) {
    constexpr std::uint64_t kDirectory = 4;
    auto const entry = entry_of(block, partition);
    if (!entry || block.little(27, 1) != kDirectory) return;
    scan_.index_known();
    if (entry->embedded.size() > 0) take_directory(entry->embedded);
    for (auto const& extent : entry->extents)
        want(What::directory, {extent.begin, extent.begin + std::min(extent.bytes, limit::kMediaStepBytes)}, partition);
}

// A name that goes on in another extent, or behind what was read, ends it.
void UdfDirectories::take_directory(MediaBytes names) {
    constexpr std::uint64_t kDirectory = 2, kDeleted = 4, kParent = 8;
    for (std::size_t at = 0; names.holds(at, kNameBytes);) {
        auto const name = names.part(at);
        if (tag_of(name) != kNameTag) return;
        auto const is = name.little(18, 1);
        auto const block = name.little(24, 4);
        auto const place = place_of(block, name.little(28, 2));
        at += (kNameBytes + name.little(19, 1) + name.little(36, 2) + 3) / 4 * 4;
        if ((is & (kDeleted | kParent)) != 0 || !place) continue;
        if ((is & kDirectory) != 0) {
            want_entry(block, name.little(28, 2));
            continue;
        }
        auto const here = current_.range.begin;
        auto const apart = std::max(here, *place) - std::min(here, *place);
        if (apart <= kNearDirectory) scan_.needed_first({*place, *place + kSector});
    }
}

std::optional<std::uint64_t> UdfDirectories::place_of(std::uint64_t block, std::size_t partition) const {
    if (partition >= partitions_.size()) return std::nullopt;
    auto bytes = block * kSector;
    for (auto const& extent : partitions_[partition].extents) {
        if (bytes < extent.bytes) return extent.begin + bytes;
        bytes -= extent.bytes;
    }
    return std::nullopt;
}

std::optional<UdfDirectories::Entry> UdfDirectories::entry_of(MediaBytes block, std::size_t partition) const {
    auto const tag = tag_of(block);
    if (tag != kEntryTag && tag != kExtendedEntryTag) return std::nullopt;
    std::size_t const fixed = tag == kEntryTag ? 176 : 216;
    auto const attributes = block.little(fixed - 8, 4);
    auto const allocated = block.part(fixed + attributes, block.little(fixed - 4, 4));
    enum Kind : std::uint64_t { kShort = 0, kLong = 1, kEmbedded = 3 };
    auto const kind = block.little(34, 1) & 7;
    if (kind == kEmbedded) return Entry{{}, allocated};
    if (kind != kShort && kind != kLong) return std::nullopt;
    std::size_t const each = kind == kShort ? 8 : 16;
    Entry entry;
    for (std::size_t at = 0; allocated.holds(at, each) && entry.extents.size() < kMostExtents; at += each) {
        auto const said = allocated.little(at, 4);
        bool const recorded = said <= kExtentBytes;
        auto const in = kind == kShort ? partition : allocated.little(at + 8, 2);
        if (said == 0 || !recorded) break;
        if (auto const place = place_of(allocated.little(at + 4, 4), in)) entry.extents.push_back({*place, said});
    }
    return entry;
}

}  // namespace rqfs::fs
