#pragma once

#include "fs/media_index.h"
#include "torrent/library.h"
#include "torrent/media_hints.h"
#include "torrent/shared_bytes.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace rqfs::fs {

// Leads the engine to the index of a file that is being read: looks for it in what is in memory, and tells the Stream
// what was found. It never waits and asks for nothing itself; the next bytes to look at are a hint like the others.
//
// One an open file, until it has finished.
class MediaGuide {
public:
    MediaGuide(std::uint64_t file_bytes, std::string_view name) : index_(file_bytes, name) {}

    // A read has been answered, by these bytes: goes on as far as there are more. False: nothing else can be found, and
    // the guide may go.
    bool look(torrent::Stream& stream, torrent::ByteRange read, std::vector<torrent::SharedBytes> const& answer);

private:
    void tell(torrent::Stream& stream);

    MediaIndex index_;
    torrent::MediaHints told_;
    std::size_t fruitless_ = 0;
};

}  // namespace rqfs::fs
