#pragma once

#include "torrent/info_hash.h"
#include "torrent/media_hints.h"
#include "torrent/shared_bytes.h"
#include "torrent/status.h"
#include "torrent/store.h"
#include "torrent/units.h"
#include "torrent/why.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::torrent {

class Metainfo;

// One open file of a torrent, as long as its handle is open. Destroying it withdraws what it wanted.
class Stream {
public:
    virtual ~Stream() = default;

    // The bytes [range.begin, range.end) of the file, in order, in slices; range lies within the file. Waits for what is missing, without
    // a limit of its own: the caller sets one and may cancel. Throws Errc::paused or Errc::failed at once when the torrent is, Errc::removed
    // when it goes while waiting.
    virtual boost::asio::awaitable<std::vector<SharedBytes>> read(ByteRange range) = 0;
    // The same without waiting, when everything is in memory.
    virtual std::optional<std::vector<SharedBytes>> try_read(ByteRange range) = 0;

    // What try_read() would give, but nobody reads: no read-ahead follows from it.
    virtual std::optional<std::vector<SharedBytes>> peek(ByteRange range) const = 0;
    // What is known of the file now, instead of what was known before. A reader that plays it gets its index early.
    virtual void hint(MediaHints hints) = 0;
};

// Who opened a file: read from /proc at open.
struct ReaderProgram {
    std::string name;  // as in /proc/PID/comm; empty when unknown
    std::uint32_t process_id = 0;
};

// What the filesystem sees of the engine. Session implements it, tests fake it. Engine thread only; nothing here waits for the
// network but Stream::read().
class Library {
public:
    class Observer {
    public:
        virtual ~Observer() = default;
        virtual void torrent_added(InfoHash const& info_hash) = 0;
        virtual void metadata_arrived(InfoHash const& info_hash) = 0;
        virtual void torrent_removed(InfoHash const& info_hash) = 0;
    };

    struct Entry {
        InfoHash info_hash;
        std::string display_name;                   // a magnet's dn; may be empty; untrusted
        std::shared_ptr<Metainfo const> metainfo;   // null while it is missing
        std::string directory;                      // remembered from before; empty when none was chosen yet
        std::chrono::sys_seconds time{};            // creation date, else time added
    };

    virtual ~Library() = default;

    // One observer; nullptr detaches it.
    virtual void observe(Observer* observer) = 0;
    virtual std::vector<Entry> entries() const = 0;  // in the order they were added
    virtual std::optional<Entry> entry(InfoHash const& info_hash) const = 0;

    // The filesystem chose a name for the torrent's directory: kept for ever, over restarts.
    virtual void remember_directory(InfoHash const& info_hash, std::string directory) = 0;

    virtual TorrentState state(InfoHash const& info_hash) const = 0;
    virtual double progress(InfoHash const& info_hash) const = 0;                       // 0 to 1
    virtual std::uint64_t stored_bytes(InfoHash const& info_hash, FileIndex file) const = 0;  // verified bytes of the file
    virtual WhyStatus why(InfoHash const& info_hash, FileIndex file) const = 0;  // without the limit of reads
    virtual DiskSpace space() const = 0;

    // Never waits. Throws Errc::not_found for an unknown torrent or file.
    virtual std::unique_ptr<Stream> open(InfoHash const& info_hash, FileIndex file, ReaderProgram program) = 0;
};

}  // namespace rqfs::torrent
