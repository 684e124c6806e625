#include "fs/media_scan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <set>
#include <vector>

namespace rqfs::fs {

// RFC 8794 (EBML) and RFC 9559 (Matroska): elements, each an identifier, a size of variable length, and content. The
// Segment's first elements say where its others are.

namespace {

constexpr std::uint64_t kHeaderBytes = 12;     // four of an identifier, eight of a size
constexpr std::uint64_t kContentBytes = 4096;  // read of a SeekHead or Info; both are a few hundred
constexpr std::size_t kMostPlaces = 32;        // of a Segment's elements; a usual one names six

enum Id : std::uint64_t {
    kEbml = 0x1A45DFA3,
    kSegment = 0x18538067,
    kSeekHead = 0x114D9B74,
    kSeek = 0x4DBB,
    kSeekId = 0x53AB,
    kSeekPosition = 0x53AC,
    kInfo = 0x1549A966,
    kTimestampScale = 0x2AD7B1,
    kDuration = 0x4489,
    kTracks = 0x1654AE6B,
    kCues = 0x1C53BB6B,
    kTags = 0x1254C367,
    kChapters = 0x1043A770,
    kAttachments = 0x1941A469,
    kCluster = 0x1F43B675,
};

struct Element {
    std::uint64_t id = 0;
    std::uint64_t begin = 0;
    std::uint64_t content = 0;
    std::uint64_t end = 0;
    bool unknown_size = false;  // then `end` is that of what it lies in
};

// The element at `at` in what ends at `limit`, beyond which it does not go.
std::optional<Element> element_at(MediaBytes head, std::uint64_t at, std::uint64_t limit) {
    auto const length = [](std::uint64_t first) { return static_cast<std::size_t>(std::countl_zero(first << 56)) + 1; };
    auto const id_bytes = length(head.big(0, 1));
    if (id_bytes > 4 || !head.holds(0, id_bytes + 1)) return std::nullopt;
    auto const size_bytes = length(head.big(id_bytes, 1));
    auto const header = id_bytes + size_bytes;
    if (size_bytes > 8 || !head.holds(0, header) || at >= limit || limit - at < header) return std::nullopt;
    auto const all_ones = (std::uint64_t{1} << (7 * size_bytes)) - 1;
    auto const size = head.big(id_bytes, size_bytes) & all_ones;
    auto const content = at + header;
    return Element{head.big(0, id_bytes), at, content, content + std::min(size, limit - content), size == all_ones};
}

// Calls `each(id, content)` for the elements that lie in `bytes`.
template <class Each>
void for_each_element(MediaBytes bytes, Each each) {
    for (std::uint64_t at = 0; at < bytes.size();) {
        auto const element = element_at(bytes.part(at), at, bytes.size());
        if (!element) return;
        each(element->id, bytes.part(element->content, element->end - element->content));
        at = element->end;
    }
}

double float_of(MediaBytes bytes) {
    if (bytes.size() == 4) return std::bit_cast<float>(static_cast<std::uint32_t>(bytes.big(0, 4)));
    return bytes.size() == 8 ? std::bit_cast<double>(bytes.big(0, 8)) : 0;
}

class Segment {
public:
    struct Place {
        std::uint64_t id = 0;
        std::uint64_t at = 0;
    };

    Segment(MediaScan& scan, Element const& element) : scan_(scan), begin_(element.content), end_(element.end) {}

    std::uint64_t begin() const { return begin_; }
    std::uint64_t end() const { return end_; }

    static std::uint64_t content_wanted(Element const& element) {
        auto const wanted = element.id == kSeekHead || element.id == kInfo;
        return wanted ? std::min(element.end - element.content, kContentBytes) : 0;
    }

    void take(Element const& element, MediaBytes content) {
        seen_.insert(element.begin);
        switch (element.id) {
            case kSeekHead: take_seek_head(content); break;
            case kInfo: take_info(content); break;
            case kCues: scan_.index_known(); break;
            default: break;
        }
        need(element.id, {element.begin, element.end});
    }

    // An element that was named and not met on the way.
    std::optional<Place> next_place() {
        while (next_ < places_.size()) {
            auto const place = places_[next_++];
            if (seen_.insert(place.at).second) return place;
        }
        return std::nullopt;
    }

private:
    void need(std::uint64_t id, torrent::ByteRange range) {
        switch (id) {
            case kCues: scan_.needed_later(range); break;
            case kSeekHead:
            case kInfo:
            case kTracks:
            case kTags:
            case kChapters:
            case kAttachments: scan_.needed_first(range); break;
            default: break;
        }
    }

    void take_seek_head(MediaBytes content) {
        scan_.index_known();
        for_each_element(content, [this](std::uint64_t id, MediaBytes seek) {
            if (id != kSeek) return;
            Place place;
            for_each_element(seek, [&place](std::uint64_t part, MediaBytes value) {
                if (value.size() > 8) return;
                if (part == kSeekId) place.id = value.big(0, value.size());
                if (part == kSeekPosition) place.at = value.big(0, value.size());
            });
            if (place.id == kCluster || place.at >= end_ - begin_ || places_.size() >= kMostPlaces) return;
            place.at += begin_;
            places_.push_back(place);
            need(place.id, {place.at, place.at + kHeaderBytes});
        });
    }

    void take_info(MediaBytes content) {
        double scale = 1e6;  // nanoseconds, unless it is said
        double duration = 0;
        for_each_element(content, [&](std::uint64_t id, MediaBytes value) {
            if (id == kTimestampScale && value.size() <= 8) scale = static_cast<double>(value.big(0, value.size()));
            if (id == kDuration) duration = float_of(value);
        });
        auto const milliseconds = duration * scale / 1e6;
        if (std::isfinite(milliseconds) && milliseconds >= 1 && milliseconds < 1e15)
            scan_.lasts(static_cast<std::uint64_t>(milliseconds), 1000);
    }

    MediaScan& scan_;
    std::uint64_t begin_;  // positions in a SeekHead count from here
    std::uint64_t end_;
    std::vector<Place> places_;
    std::size_t next_ = 0;
    std::set<std::uint64_t> seen_;  // where elements began
};

}  // namespace

MediaWalk walk_matroska(MediaScan& scan) {
    MediaBytes head = co_await scan.bytes(0, kHeaderBytes);
    auto element = element_at(head, 0, scan.file_bytes());
    if (!element || element->id != kEbml || element->unknown_size) co_return;
    head = co_await scan.bytes(element->end, kHeaderBytes);
    element = element_at(head, element->end, scan.file_bytes());
    if (!element || element->id != kSegment) co_return;
    scan.recognized();
    Segment segment(scan, *element);
    for (auto at = segment.begin(); at < segment.end(); at = element->end) {
        head = co_await scan.bytes(at, kHeaderBytes);
        element = element_at(head, at, segment.end());
        if (!element || element->id == kCluster || element->unknown_size) break;
        MediaBytes const content = co_await scan.bytes(element->content, Segment::content_wanted(*element));
        segment.take(*element, content);
    }
    while (auto const place = segment.next_place()) {
        head = co_await scan.bytes(place->at, kHeaderBytes);
        element = element_at(head, place->at, segment.end());
        if (!element || element->id != place->id || element->unknown_size) continue;
        MediaBytes const content = co_await scan.bytes(element->content, Segment::content_wanted(*element));
        segment.take(*element, content);
    }
}

}  // namespace rqfs::fs
