#pragma once

#include <cassert>
#include <thread>

namespace rqfs::torrent {

// Remembers the thread that made it, for asserting that state of the engine is touched by its own thread only.
class EngineThread {
public:
    bool here() const { return std::this_thread::get_id() == id_; }
    void check() const { assert(here() && "engine state touched by another thread"); }

private:
    std::thread::id id_ = std::this_thread::get_id();
};

}  // namespace rqfs::torrent
