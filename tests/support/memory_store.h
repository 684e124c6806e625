#pragma once

#include "torrent/store.h"

#include <map>
#include <memory>
#include <vector>

namespace rqfs::tests {

// A Store that forgets everything with the process: for tests of the engine.
class MemoryStore final : public torrent::Store {
public:
    boost::asio::awaitable<std::vector<torrent::TorrentRecord>> load() override;
    boost::asio::awaitable<void> save(torrent::TorrentRecord record) override;
    boost::asio::awaitable<void> forget(torrent::InfoHash info_hash, bool keep_data) override;
    boost::asio::awaitable<void> save_peers(torrent::InfoHash info_hash, std::vector<torrent::Endpoint> peers) override;
    boost::asio::awaitable<std::vector<torrent::Endpoint>> load_peers(torrent::InfoHash info_hash) override;
    boost::asio::awaitable<void> save_dht(std::vector<std::byte> state) override;
    boost::asio::awaitable<std::vector<std::byte>> load_dht() override;
    std::unique_ptr<torrent::PieceStore> open(torrent::InfoHash info_hash, std::shared_ptr<torrent::PieceFacts const> facts,
                                              torrent::PieceStore::Observer& observer) override;
    torrent::DiskSpace space() const override { return {1u << 30, 1u << 29}; }

    // Puts a whole torrent's bytes there as if it had been fetched in an earlier run.
    void fill(torrent::InfoHash const& info_hash, std::vector<std::byte> const& bytes, std::uint32_t piece_bytes);
    // Loses a piece as a disk would: observers are told.
    void lose(torrent::InfoHash const& info_hash, torrent::PieceIndex piece);
    // try_read() finds nothing from now on: all of it is on the disk only.
    void leave_memory() { in_memory_ = false; }
    // No room for more until set again.
    void set_room(bool room);

    std::map<torrent::InfoHash, torrent::TorrentRecord> records;
    std::map<torrent::InfoHash, std::vector<torrent::Endpoint>> peers;
    std::vector<std::byte> dht;

private:
    class Pieces;
    using Data = std::map<torrent::PieceIndex, torrent::SharedBytes>;

    std::vector<torrent::InfoHash> order_;
    std::map<torrent::InfoHash, Data> data_;
    std::map<torrent::InfoHash, Pieces*> open_;
    bool room_ = true;
    bool in_memory_ = true;
};

}  // namespace rqfs::tests
