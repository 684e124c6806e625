#pragma once

#include "torrent/units.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace rqfs::cache {

// Tells sequential readers of a torrent from random ones by where earlier reads ended. Pure.
class ReadHistory {
public:
    // Whether the read of these bytes of the torrent goes on where another ended. How large it is says nothing: the kernel asks for
    // 128 KiB for a program that reads ahead as for one that jumps about in such steps.
    bool sequential(torrent::ByteRange range) {
        for (auto& end : ends_) {
            if (range.begin + kBack < end || range.begin > end + kAhead) continue;
            if (range.end > end) end = range.end;
            return true;
        }
        ends_[next_++ % ends_.size()] = range.end;
        return false;
    }

private:
    static constexpr std::uint64_t kBack = 128u << 10;   // reads arrive out of order, one kernel read-ahead at most
    static constexpr std::uint64_t kAhead = 256u << 10;  // and another reader's cache hits leave gaps

    std::array<std::uint64_t, 16> ends_{};  // the beginning of the torrent counts as read before
    std::size_t next_ = 0;
};

}  // namespace rqfs::cache
