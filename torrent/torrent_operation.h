#pragma once

#include "torrent/torrent.h"

namespace rqfs::torrent {

// One of the user's operations on a torrent, counted while it lasts so that stop() can wait for it; alone() keeps others
// from beginning.
class Torrent::Operation {
public:
    explicit Operation(Torrent& torrent) : torrent_(torrent) { ++torrent_.operations_; }
    Operation(Operation const&) = delete;
    Operation& operator=(Operation const&) = delete;
    ~Operation() {
        --torrent_.operations_;
        if (alone_) torrent_.changing_ = false;
        torrent_.operation_ended_.notify();
    }
    void alone() { alone_ = torrent_.changing_ = true; }

private:
    Torrent& torrent_;
    bool alone_ = false;
};

}  // namespace rqfs::torrent
