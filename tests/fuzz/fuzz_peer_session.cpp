#include "tests/fuzz/require.h"
#include "tests/support/memory_stream.h"
#include "tests/support/virtual_clock.h"
#include "torrent/peer/peer_connection.h"
#include "torrent/settings.h"
#include "torrent/task_group.h"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

using namespace rqfs::torrent;
using rqfs::tests::require;
namespace asio = boost::asio;

namespace {

PieceLayout const kLayout(9 * 65536 + 20000, 65536);

// Checks that what it is told makes sense, and talks back so that every order meets every state.
class Owner final : public PeerConnection::Owner {
public:
    void peer_pieces(PeerConnection& peer) override {
        require(peer.pieces().size() == kLayout.pieces(), "as many bits as pieces");
        require(!pieces_known_, "the first pieces are told once");
        pieces_known_ = true;
        peer.set_interested(true);
    }
    void peer_have(PeerConnection& peer, PieceIndex piece) override {
        require(peer.pieces().test(piece), "the piece is there");
        peer.request({piece, BlockIndex(0)});
    }
    void peer_dont_have(PeerConnection& peer, PieceIndex piece) override {
        require(!peer.pieces().test(piece), "the piece is gone");
        peer.cancel({piece, BlockIndex(0)});
    }
    void peer_choke(PeerConnection& peer, bool) override { peer.have(PieceIndex(1)); }
    void peer_interested(PeerConnection& peer, bool interested) override { peer.set_choked(!interested); }
    void peer_block(PeerConnection&, BlockAddress block, std::span<std::byte const> bytes) override {
        require(bytes.size() == kLayout.bytes(block), "a whole block");
    }
    void peer_reject(PeerConnection& peer, BlockAddress block) override {
        require(peer.fast() && block.piece.value() < kLayout.pieces(), "a block of ours");
    }
    void peer_allowed_fast(PeerConnection& peer, PieceIndex piece) override { peer.request({piece, BlockIndex(0)}); }
    void peer_suggest(PeerConnection& peer, PieceIndex piece) override { peer.dont_have(piece); }
    void peer_extensions(PeerConnection& peer) override {
        peer.send_metadata({MetadataMessage::Type::request, 0, 0, {}});
    }
    void peer_metadata(PeerConnection& peer, MetadataMessage const& message) override {
        peer.send_metadata({MetadataMessage::Type::reject, message.piece, 0, {}});
        if (message.type == MetadataMessage::Type::reject && !known_) know(peer);
    }
    void peer_exchange(PeerConnection& peer, PexMessage const& message) override { peer.send_exchange(message); }
    void peer_holepunch(PeerConnection& peer, HolepunchMessage const& message) override {
        peer.send_holepunch(message);
    }
    void peer_dht_port(PeerConnection&, std::uint16_t port) override { require(port != 0, "a port"); }
    void peer_batch_ended(PeerConnection& peer) override {
        require(peer.requests_queued() <= limit::kRequestsIn + 40, "a bounded queue");
    }
    asio::awaitable<SharedBytes> read_for_peer(PieceIndex piece, ByteRange range) override {
        require(range.size() > 0 && range.end <= kLayout.bytes(piece), "a range of the piece");
        if (piece.value() == 3) throw_error(Errc::not_found, "lost");
        co_return SharedBytes(std::vector<std::byte>(static_cast<std::size_t>(range.size())));
    }

    void know(PeerConnection& peer) {
        known_ = true;
        peer.metadata_known(kLayout, Bitfield(kLayout.pieces(), true));
    }
    bool known_ = false;

private:
    bool pieces_known_ = false;
};

asio::awaitable<void> write(StreamSocket& socket, std::vector<std::byte> bytes) {
    std::array<asio::const_buffer, 1> const buffers{asio::buffer(bytes)};
    co_await socket.write(buffers);
}

asio::awaitable<void> read(StreamSocket& socket) {
    std::vector<std::byte> room(65536);
    asio::mutable_buffer const target(room.data(), room.size());
    for (;;) co_await socket.read_some(target);
}

asio::awaitable<void> ignore_failure(asio::awaitable<void> task) {
    try {
        co_await std::move(task);
    } catch (boost::system::system_error const&) {
        co_return;  // the other side hung up
    }
}

asio::awaitable<void> run_and_note(PeerConnection& connection, bool& ended) {
    co_await connection.run();
    ended = true;
}

}  // namespace

// The first byte says what is negotiated, the rest is what the peer sends.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    asio::io_context engine{1};
    rqfs::tests::VirtualClock clock;
    rqfs::tests::MemoryStreamOptions how;
    how.most_bytes_a_read = (data[0] & 8) != 0 ? 7 : SIZE_MAX;
    auto streams = rqfs::tests::memory_streams(engine.get_executor(), how);
    Handshake theirs;
    theirs.fast = (data[0] & 1) != 0;
    theirs.extensions = (data[0] & 2) != 0;
    PeerConnection::Options options;
    Owner owner;
    if ((data[0] & 4) != 0) {
        options.dht_port = 6881;
        options.layout = kLayout;
        options.have = Bitfield(kLayout.pieces());
        owner.known_ = true;
    }
    PeerConnection connection(engine.get_executor(), clock, std::move(streams.first), theirs, std::move(options),
                              owner);
    TaskGroup tasks(engine.get_executor(), "session");
    bool ended = false;
    auto const sent = std::as_bytes(std::span(data, size)).subspan(1);
    tasks.spawn(run_and_note(connection, ended));
    tasks.spawn(ignore_failure(write(*streams.second, {sent.begin(), sent.end()})));
    tasks.spawn(ignore_failure(read(*streams.second)));
    clock.run_for(engine, std::chrono::seconds(1));
    if (!owner.known_ && !ended) owner.know(connection);
    clock.run_for(engine, std::chrono::seconds(1));
    streams.second->close();
    clock.run_for(engine, std::chrono::seconds(200));
    require(ended && !connection.reason().empty(), "every connection ends and says why");
    return 0;
}
