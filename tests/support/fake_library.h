#pragma once

#include "torrent/event.h"
#include "torrent/info_hash.h"
#include "torrent/library.h"
#include "torrent/metainfo/metainfo.h"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::tests {

// A file of a made-up torrent.
struct FakeFile {
    std::vector<std::string> path;
    std::uint64_t bytes = 0;
    std::string attributes;  // of BEP 47: any of "plxh"
    std::vector<std::string> symlink{};
};

// The metadata of a made-up torrent; its piece hashes fit nothing. One file whose path is the name alone makes a
// single-file torrent.
std::shared_ptr<torrent::Metainfo const> make_metainfo(std::string const& name, std::vector<FakeFile> const& files);

// The byte that every made-up torrent has at `offset` of `file`.
std::uint8_t fake_byte(torrent::FileIndex file, std::uint64_t offset);
std::string fake_bytes(torrent::FileIndex file, std::uint64_t offset, std::size_t bytes);

// A Library of made-up torrents that has all data, or none while it is told to hold it back.
class FakeLibrary final : public torrent::Library {
public:
    explicit FakeLibrary(boost::asio::any_io_executor executor);

    // What the engine's user would do.
    torrent::InfoHash add(std::shared_ptr<torrent::Metainfo const> metainfo, std::string directory = "");
    torrent::InfoHash add_magnet(torrent::InfoHash const& info_hash, std::string display_name);
    void metadata(torrent::InfoHash const& info_hash, std::shared_ptr<torrent::Metainfo const> metainfo);
    void remove(torrent::InfoHash const& info_hash);

    bool holds_back = false;    // reads wait; deliver() ends that for those that wait
    static constexpr char const* kRefusal = "programs of this kind are given nothing";
    bool refuses = false;       // reads, with kRefusal
    bool answers_late = false;  // nothing is in memory: every read takes a turn of the loop
    void deliver();             // and nothing is held back from now on

    torrent::TorrentState torrent_state = torrent::TorrentState::idle;
    double torrent_progress = 0.5;
    std::uint64_t stored = 0;
    torrent::WhyStatus told_why;  // of every file
    std::string head;  // how every file begins; made-up bytes behind it
    int reads = 0;    // reads and successful try_reads
    int peeks = 0;    // successful
    torrent::MediaHints last_hints;
    int waiting = 0;  // reads that wait
    int streams = 0;  // open
    torrent::ReaderProgram last_reader;
    std::map<torrent::InfoHash, std::string> remembered;

    void observe(Observer* observer) override { observer_ = observer; }
    std::vector<Entry> entries() const override { return entries_; }
    std::optional<Entry> entry(torrent::InfoHash const& info_hash) const override;
    void remember_directory(torrent::InfoHash const& info_hash, std::string directory) override;
    torrent::TorrentState state(torrent::InfoHash const&) const override { return torrent_state; }
    double progress(torrent::InfoHash const&) const override { return torrent_progress; }
    std::uint64_t stored_bytes(torrent::InfoHash const&, torrent::FileIndex) const override { return stored; }
    torrent::WhyStatus why(torrent::InfoHash const&, torrent::FileIndex) const override { return told_why; }
    torrent::DiskSpace space() const override { return {1'000'000 * 4096ull, 250'000 * 4096ull, 300'000 * 4096ull}; }
    std::unique_ptr<torrent::Stream> open(torrent::InfoHash const& info_hash, torrent::FileIndex file,
                                          torrent::ReaderProgram program) override;

private:
    friend class FakeStream;

    Entry* find(torrent::InfoHash const& info_hash);

    std::vector<Entry> entries_;
    Observer* observer_ = nullptr;
    torrent::Event changed_;
};

}  // namespace rqfs::tests
