#pragma once

#include "torrent/clock.h"
#include "torrent/event.h"
#include "torrent/library.h"
#include "torrent/reader_policy.h"
#include "torrent/swarm/demand.h"
#include "torrent/swarm/kept_index.h"
#include "torrent/swarm/scanner_budget.h"
#include "torrent/why.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace rqfs::torrent {

class Download;

// The open files of one torrent: what each of them wants, and the reads that wait for pieces.
//
// Owned by Torrent. Engine thread only. A stream that outlives its torrent throws Errc::removed from every read.
class Readers {
public:
    class Owner {
    public:
        virtual ~Owner() = default;
        // Why a read of missing data cannot succeed now, as the error it should throw; nothing when reads may wait.
        virtual std::optional<Error> reading_forbidden() const = 0;
        // A file was opened or closed, or the number of reads that wait went from or to zero.
        // `other_files`: so did what files() says.
        virtual void readers_changed(bool other_files) = 0;
    };

    Readers(boost::asio::any_io_executor const& executor, Clock& clock, Download& download, StreamSettings const& settings, Owner& owner);
    ~Readers();

    std::unique_ptr<Stream> open(FileIndex file, ReaderProgram const& program);

    // A piece came or went: waiting reads look again, windows are drawn anew.
    void piece_stored(PieceIndex piece);
    void pieces_lost();
    // reading_forbidden() may have changed: waiting reads look again.
    void look_again();
    // Windows of readers that fell idle are withdrawn; called a few times a second.
    void tick();

    std::size_t open_files() const { return readers_.size(); }
    std::uint32_t waiting() const { return waiting_; }
    bool active(TimePoint now) const;  // some file is open and not idle
    double needed() const;             // bytes a second: what players play that lack what they show next
    // The files that are open, but for those that only scanners look at; ascending, each once.
    std::set<FileIndex> files() const;

    // Adds who has the file open and which of their reads wait.
    void explain(FileIndex file, WhyStatus& why) const;

    // Of all readers together, as they were told to the download last: what each of its plans has to go through.
    std::size_t wishes() const { return wishes_; }

    // Wakes all reads, which throw, and returns when none is under way. Streams are detached.
    boost::asio::awaitable<void> stop();

private:
    struct Reader;
    class OpenStream;
    class ReadGuard;

    boost::asio::awaitable<std::vector<SharedBytes>> read(ReaderId id, ByteRange range);
    std::optional<std::vector<SharedBytes>> peek(ReaderId id, ByteRange range) const;
    void hint(ReaderId id, MediaHints hints);
    std::optional<std::vector<SharedBytes>> try_read(ReaderId id, ByteRange range);
    boost::asio::awaitable<SharedBytes> read_part(FileIndex file, PieceIndex piece, ByteRange range, ReadGuard& guard);
    std::optional<SharedBytes> in_memory(FileIndex file, PieceIndex piece, ByteRange range) const;
    void keep_index(KeptIndex& index, PieceIndex piece);  // of what memory holds
    void keep_index(FileIndex file, PieceIndex piece, ByteRange range, SharedBytes const& bytes);
    boost::asio::awaitable<void> wait_for(PieceIndex piece, ReadGuard& guard);
    void check_budget(ReaderId id, ByteRange range);
    void refresh(ReaderId id, Reader& reader);
    void tell(ReaderId id, Reader& reader, std::vector<Wish> wishes);
    void count_wishes(Reader& reader, std::size_t wishes);
    void close(ReaderId id);
    bool take_other_files();

    Clock& clock_;
    Download& download_;
    StreamSettings const& settings_;
    Owner& owner_;
    ScannerBudget scanner_budget_;
    std::map<ReaderId, Reader> readers_;
    std::map<FileIndex, KeptIndex> kept_;  // of open files whose container is understood
    std::set<FileIndex> told_files_;
    ReaderId next_id_{1};
    ReaderId tick_from_;       // whose turn it is to be looked at
    Event progress_;           // a piece came, or reading became impossible
    Event ended_;              // a read ended
    std::size_t wishes_ = 0;   // of all readers
    std::size_t wishing_ = 0;  // readers that have some
    std::uint32_t reading_ = 0;
    std::uint32_t waiting_ = 0;
    bool stopping_ = false;
};

}  // namespace rqfs::torrent
