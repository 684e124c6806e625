#pragma once

#include "torrent/units.h"

#include <chrono>
#include <vector>

namespace rqfs::torrent {

// What the container of an open file says of how it will be read. It is made of the file's own bytes, which a stranger
// chose: advice on what to fetch early, never a promise. Ranges lie in the file and do not overlap within a list.
struct MediaHints {
    std::vector<ByteRange> first;           // of its index: needed before anything is shown
    std::vector<ByteRange> later;           // of its index: needed to seek
    std::chrono::milliseconds duration{0};  // of the film; 0: not known
    bool index_known = false;  // the index is in these ranges: nobody need guess that it lies at the head or tail

    friend bool operator==(MediaHints const&, MediaHints const&) = default;
};

}  // namespace rqfs::torrent
