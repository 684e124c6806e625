#pragma once

#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace rqfs::torrent {

// An info dictionary of one claimed size, put together from parts of 16 KiB (BEP 9). Memory is taken part by part.
// Pure.
class MetadataAssembly {
public:
    explicit MetadataAssembly(std::uint32_t bytes) : bytes_(bytes) {}

    std::uint32_t parts() const { return (bytes_ + kBlockBytes - 1) / kBlockBytes; }
    std::uint32_t part_bytes(std::uint32_t part) const;  // part < parts()
    std::uint32_t missing() const { return parts() - held_; }
    std::size_t held_bytes() const { return held_bytes_; }
    bool has(std::uint32_t part) const { return part < parts_.size() && !parts_[part].bytes.empty(); }

    // The part to ask a peer for next: one that nobody was asked for, else one whose answer is overdue. The longer a
    // part is overdue, the more peers are asked for it: 1, then twice as many every second. `skip(part)` says what this
    // peer must not be asked.
    template <class Skip>
    std::optional<std::uint32_t> choose(TimePoint now, Skip skip) const {
        std::optional<std::uint32_t> overdue;
        for (auto part = first_missing(); part < parts(); ++part) {
            if (has(part) || skip(part)) continue;
            if (copies(part) == 0) return part;
            if (!overdue && copies(part) < copies_allowed(part, now)) overdue = part;
        }
        return overdue;
    }
    void asked(std::uint32_t part, TimePoint now);
    void unasked(std::uint32_t part);  // that request will not be answered, or was
    // When choose() may offer a part that it does not offer now.
    std::optional<TimePoint> next_overdue() const;

    // A part that is missing, of exactly part_bytes().
    void store(std::uint32_t part, PeerHandle from, std::span<std::byte const> bytes, TimePoint now);
    TimePoint begun() const { return begun_; }  // the first part that is held came then
    TimePoint last_progress() const { return last_progress_; }

    std::vector<PeerHandle> contributors() const;
    std::vector<std::byte> join() const;  // missing() is 0
    void drop_data();                     // requests under way stay counted

private:
    struct Part {
        std::vector<std::byte> bytes;
        PeerHandle from;
        std::uint32_t copies = 0;  // requests under way
        TimePoint first_asked{};
    };

    std::uint32_t first_missing() const { return first_missing_; }
    std::uint32_t copies(std::uint32_t part) const { return part < parts_.size() ? parts_[part].copies : 0; }
    std::uint32_t copies_allowed(std::uint32_t part, TimePoint now) const;

    std::uint32_t bytes_;
    std::vector<Part> parts_;  // empty until something is asked
    std::uint32_t first_missing_ = 0;
    std::uint32_t held_ = 0;
    std::size_t held_bytes_ = 0;
    TimePoint begun_{};
    TimePoint last_progress_{};
};

}  // namespace rqfs::torrent
