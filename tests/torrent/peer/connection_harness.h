#pragma once

#include "tests/support/fake_peer.h"
#include "tests/support/memory_stream.h"
#include "tests/support/run_engine.h"
#include "tests/support/virtual_clock.h"
#include "torrent/event.h"
#include "torrent/peer/peer_connection.h"
#include "torrent/swarm/rate_limiter.h"
#include "torrent/task_group.h"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::tests {

// Ten pieces of 64 KiB, the last of 20,000 bytes: blocks of 16 KiB, at the end one of 3,616.
inline torrent::PieceLayout small_layout() { return {9 * 65536 + 20000, 65536}; }

// The byte at an offset of the made-up torrent.
inline std::byte content_at(std::uint64_t offset) { return static_cast<std::byte>((offset * 2654435761u) >> 13); }
std::vector<std::byte> content(torrent::PieceLayout const& layout, std::uint32_t piece, std::uint64_t begin,
                               std::uint64_t length);

// Writes down what it is told, one short line each, and serves the made-up content.
class RecordingOwner final : public torrent::PeerConnection::Owner {
public:
    explicit RecordingOwner(boost::asio::any_io_executor const& executor) : reads_allowed_(executor) {}

    std::vector<std::string> events;
    std::vector<std::pair<std::uint32_t, torrent::ByteRange>> reads;
    std::vector<std::vector<std::byte>> blocks;
    std::vector<torrent::Duration> transfers;  // of the blocks
    std::function<void(std::string const&)> on_event;
    torrent::PieceLayout layout = small_layout();
    bool reads_fail = false;
    std::size_t batches = 0;

    void hold_reads(bool hold);
    bool told(std::string const& event) const;

    void peer_pieces(torrent::PeerConnection& peer) override;
    void peer_have(torrent::PeerConnection&, torrent::PieceIndex piece) override;
    void peer_dont_have(torrent::PeerConnection&, torrent::PieceIndex piece) override;
    void peer_choke(torrent::PeerConnection&, bool choked) override;
    void peer_interested(torrent::PeerConnection&, bool interested) override;
    void peer_block(torrent::PeerConnection&, torrent::BlockAddress block, std::span<std::byte const> bytes) override;
    void peer_reject(torrent::PeerConnection&, torrent::BlockAddress block) override;
    void peer_allowed_fast(torrent::PeerConnection&, torrent::PieceIndex piece) override;
    void peer_suggest(torrent::PeerConnection&, torrent::PieceIndex piece) override;
    void peer_extensions(torrent::PeerConnection&) override;
    void peer_metadata(torrent::PeerConnection&, torrent::MetadataMessage const& message) override;
    void peer_exchange(torrent::PeerConnection&, torrent::PexMessage const& message) override;
    void peer_holepunch(torrent::PeerConnection&, torrent::HolepunchMessage const& message) override;
    void peer_dht_port(torrent::PeerConnection&, std::uint16_t port) override;
    void peer_batch_ended(torrent::PeerConnection&) override { ++batches; }
    boost::asio::awaitable<torrent::SharedBytes> read_for_peer(torrent::PieceIndex piece,
                                                               torrent::ByteRange range) override;

private:
    void note(std::string event);

    bool held_ = false;
    torrent::Event reads_allowed_;
};

// A PeerConnection and, on the other end of a stream in memory, a peer that follows a script.
class ConnectionHarness {
public:
    struct Setup {
        bool fast = true;
        bool extensions = true;
        bool metadata = true;  // the layout is known
        bool incoming = false;
        bool they_have_dht = false;
        std::uint16_t dht_port = 0;  // ours; 0: not for this torrent
        torrent::Bitfield have{10};
        bool read_greeting = true;  // our first messages are taken from the peer's ears
        std::uint64_t upload_limit = 0;
        std::uint64_t download_limit = 0;
        MemoryStreamOptions stream;
    };

    ConnectionHarness() : ConnectionHarness(Setup{}) {}
    explicit ConnectionHarness(Setup setup);
    ~ConnectionHarness();

    void settle() { pass(torrent::Duration(0)); }
    void pass(torrent::Duration time) { clock.run_for(engine, time); }

    boost::asio::io_context engine{1};
    VirtualClock clock;
    RecordingOwner owner{engine.get_executor()};
    torrent::RateLimiter upload_limit;
    torrent::RateLimiter download_limit;
    torrent::TaskGroup tasks{engine.get_executor(), "connection"};
    std::unique_ptr<torrent::PeerConnection> connection;
    std::unique_ptr<FakePeer> peer;
    bool ended = false;  // run() returned
};

}  // namespace rqfs::tests
