#include "tests/torrent/peer/connection_harness.h"

#include <algorithm>

namespace rqfs::tests {

namespace asio = boost::asio;
using namespace torrent;

std::vector<std::byte> content(PieceLayout const& layout, std::uint32_t piece, std::uint64_t begin,
                               std::uint64_t length) {
    std::vector<std::byte> bytes;
    auto const offset = layout.begin(PieceIndex(piece)) + begin;
    for (std::uint64_t i = 0; i < length; ++i) bytes.push_back(content_at(offset + i));
    return bytes;
}

void RecordingOwner::hold_reads(bool hold) {
    held_ = hold;
    reads_allowed_.notify();
}

bool RecordingOwner::told(std::string const& event) const {
    return std::find(events.begin(), events.end(), event) != events.end();
}

void RecordingOwner::note(std::string event) {
    events.push_back(event);
    if (on_event) on_event(event);
}

void RecordingOwner::peer_pieces(PeerConnection& peer) { note("pieces " + std::to_string(peer.pieces().count())); }
void RecordingOwner::peer_have(PeerConnection&, PieceIndex piece) { note("have " + std::to_string(piece.value())); }
void RecordingOwner::peer_dont_have(PeerConnection&, PieceIndex piece) {
    note("dont_have " + std::to_string(piece.value()));
}
void RecordingOwner::peer_choke(PeerConnection&, bool choked) { note(choked ? "choke" : "unchoke"); }
void RecordingOwner::peer_interested(PeerConnection&, bool is) { note(is ? "interested" : "not interested"); }

void RecordingOwner::peer_block(PeerConnection& peer, BlockAddress block, std::span<std::byte const> bytes) {
    transfers.push_back(peer.block_transfer());
    blocks.emplace_back(bytes.begin(), bytes.end());
    note("block " + std::to_string(block.piece.value()) + "." + std::to_string(block.block.value()));
}

void RecordingOwner::peer_reject(PeerConnection&, BlockAddress block) {
    note("reject " + std::to_string(block.piece.value()) + "." + std::to_string(block.block.value()));
}

void RecordingOwner::peer_allowed_fast(PeerConnection&, PieceIndex piece) {
    note("allowed " + std::to_string(piece.value()));
}
void RecordingOwner::peer_suggest(PeerConnection&, PieceIndex piece) {
    note("suggest " + std::to_string(piece.value()));
}
void RecordingOwner::peer_extensions(PeerConnection&) { note("extensions"); }

void RecordingOwner::peer_metadata(PeerConnection&, MetadataMessage const& message) {
    note("metadata " + std::to_string(static_cast<int>(message.type)) + " " + std::to_string(message.piece));
}

void RecordingOwner::peer_exchange(PeerConnection&, PexMessage const& message) {
    note("exchange +" + std::to_string(message.added.size()) + " -" + std::to_string(message.dropped.size()));
}

void RecordingOwner::peer_holepunch(PeerConnection&, HolepunchMessage const& message) {
    note("holepunch " + std::to_string(static_cast<int>(message.type)) + " " + message.endpoint.text());
}

void RecordingOwner::peer_dht_port(PeerConnection&, std::uint16_t port) { note("dht port " + std::to_string(port)); }

asio::awaitable<SharedBytes> RecordingOwner::read_for_peer(PieceIndex piece, ByteRange range) {
    reads.emplace_back(piece.value(), range);
    while (held_) co_await reads_allowed_.wait();
    if (reads_fail) throw_error(Errc::not_found, "not here");
    co_return SharedBytes(content(layout, piece.value(), range.begin, range.size()));
}

namespace {

asio::awaitable<void> run_and_note(PeerConnection& connection, bool& ended) {
    co_await connection.run();
    ended = true;
}

}  // namespace

ConnectionHarness::ConnectionHarness(Setup setup) {
    upload_limit.set_limit(setup.upload_limit);
    download_limit.set_limit(setup.download_limit);
    auto streams = memory_streams(engine.get_executor(), setup.stream);
    Handshake theirs;
    theirs.fast = setup.fast;
    theirs.extensions = setup.extensions;
    theirs.dht = setup.they_have_dht;
    PeerConnection::Options options;
    options.handle = PeerHandle(1);
    options.incoming = setup.incoming;
    options.dht_port = setup.dht_port;
    if (setup.metadata) {
        options.layout = small_layout();
        options.have = setup.have;
    }
    options.extensions.ut_metadata = kOurMetadataId;
    options.extensions.lt_donthave = kOurDontHaveId;
    options.extensions.ut_pex = kOurPexId;
    options.extensions.ut_holepunch = kOurHolepunchId;
    options.upload_limit = &upload_limit;
    options.download_limit = &download_limit;
    connection = std::make_unique<PeerConnection>(engine.get_executor(), clock, std::move(streams.first), theirs,
                                                  std::move(options), owner);
    peer = std::make_unique<FakePeer>(engine.get_executor(), std::move(streams.second));
    tasks.spawn(run_and_note(*connection, ended));
    settle();
    if (setup.read_greeting) peer->heard();
}

ConnectionHarness::~ConnectionHarness() {
    run_engine(engine, tasks.stop());
    run_engine(engine, peer->stop());
}

}  // namespace rqfs::tests
