#pragma once

#include "torrent/units.h"

#include <vector>

namespace rqfs::fs {

// The reads of one handle that waited in vain a moment ago. Pure; a value.
//
// When a read-ahead fails, the kernel asks once more for the one page that somebody waits for, and that would wait as
// long again: a reader would get its error after twice the read timeout. The second try is answered at once; what the
// program itself tries later waits anew.
class FailedReads {
public:
    void failed(torrent::ByteRange range, torrent::TimePoint now);
    // Whether `range` is the kernel's second try of a failed read; true once for each.
    bool is_second_try(torrent::ByteRange range, torrent::TimePoint now);

private:
    struct Failed {
        torrent::ByteRange range;
        torrent::TimePoint at;
    };

    void forget_old(torrent::TimePoint now);

    std::vector<Failed> failed_;
};

}  // namespace rqfs::fs
