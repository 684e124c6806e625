#pragma once

#include "torrent/settings.h"

#include <cassert>
#include <cstddef>

namespace rqfs::torrent {

// Bytes that all magnets together may hold of metadata that is not verified yet. One object, shared by their exchanges.
class MetadataBudget {
public:
    explicit MetadataBudget(std::size_t limit_bytes = limit::kMetadataBytesInFlight) : limit_bytes_(limit_bytes) {}

    bool take(std::size_t bytes) {
        if (bytes > limit_bytes_ - used_bytes_) return false;
        used_bytes_ += bytes;
        return true;
    }
    void give_back(std::size_t bytes) {
        assert(bytes <= used_bytes_);
        used_bytes_ -= bytes;
    }
    std::size_t used_bytes() const { return used_bytes_; }

private:
    std::size_t limit_bytes_;
    std::size_t used_bytes_ = 0;
};

}  // namespace rqfs::torrent
