#pragma once

#include "torrent/readers.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace rqfs::torrent {

// One open file, as Readers keeps it.
struct Readers::Reader {
    Reader(Demand d, FileIndex f, ByteRange w, ProgramKind k) : demand(std::move(d)), file(f), where(w), kind(k) {}

    Demand demand;
    FileIndex file;
    ByteRange where;  // of the file in the torrent
    ProgramKind kind;
    OpenStream* stream = nullptr;
    std::uint32_t missing = 0;  // pieces of the file that are not stored
    TimePoint refreshed{};
    TimePoint due = TimePoint::max();  // when its wishes change by themselves
    std::size_t wishes = 0;            // told to the download
    bool lacks_soon = false;           // it plays, and something it shows within kSoon is missing
    // For people who ask why it waits.
    struct Wait {
        ByteRange range;  // of the file
        TimePoint since;
    };
    ReaderProgram program{};
    std::uint64_t position = 0;            // where its last read ended
    std::map<Demand::Ticket, Wait> waits;  // its reads that wait for pieces
    TimePoint opened{}, jumped{}, probed{};
    bool restless = false;               // it had jumped shortly before it did so last
    std::optional<Duration> probe_took;  // the last look at head or tail, once it is answered
    bool answered = false;               // some read
};

}  // namespace rqfs::torrent
