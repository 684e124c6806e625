#pragma once

#include <string>
#include <vector>

namespace rqfs::torrent::tests {

// A torrent file made to break its reader, with what must come of it.
struct HostileTorrent {
    std::string what;  // for the person who reads a failure
    std::string bytes;
    bool accepted;
    std::string sentence;  // a part of the refusal's sentence; empty: any
};

// Every field with values of every wrong kind and around every boundary, broken structure at every byte, bombs: the
// same thousands of files at every call.
std::vector<HostileTorrent> hostile_torrents();

}  // namespace rqfs::torrent::tests
