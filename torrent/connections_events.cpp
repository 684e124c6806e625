// What connected peers say, and what they are told.
#include "torrent/connections.h"
#include "torrent/dht/dht.h"
#include "torrent/download.h"
#include "torrent/metadata_fetch.h"
#include "torrent/peer/allowed_fast.h"

#include <algorithm>

namespace rqfs::torrent {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// A peer is new to the swarm while it has so few pieces: then it may ask for some though choked (BEP 6).
constexpr std::uint32_t kFewPieces = 5;
constexpr std::chrono::seconds kStayInterested{60};  // as long as a reader that pauses keeps its window

PiecePicker::PeerTraits traits_of(PeerConnection const& peer) {
    auto const& id = peer.handshake().peer_id;
    bool const bit_comet = id[0] == std::byte{'-'} && id[1] == std::byte{'B'} && id[2] == std::byte{'C'};
    PiecePicker::PeerTraits traits;
    traits.fast = peer.fast();
    traits.max_requests = std::max(1u, std::min(peer.extensions().reqq.value_or(bit_comet ? limit::kRequestsOutBitComet : limit::kRequestsOutDefault),
                                                limit::kRequestsOut));
    return traits;
}

}  // namespace

ExtensionHandshake Connections::our_extensions(Endpoint const& remote) const {
    ExtensionHandshake ours;
    ours.ut_metadata = kOurMetadataId;
    ours.lt_donthave = kOurDontHaveId;
    if (!owner_.is_private()) {
        ours.ut_pex = kOurPexId;
        ours.ut_holepunch = kOurHolepunchId;
    }
    if (!session_.settings.anonymous) ours.client = "rqfs " RQFS_VERSION;
    if (auto const port = session_.port_for(remote.address); port != 0) ours.port = port;
    ours.reqq = limit::kRequestsIn;
    ours.your_address = remote.address;
    if (auto const* const download = owner_.download()) {
        ours.metadata_size = static_cast<std::uint32_t>(download->metainfo().info().size());
        ours.upload_only = download->complete();
    }
    return ours;
}

void Connections::join_picker(ConnectedPeer& peer) {
    auto& connection = *peer.connection;
    owner_.download()->picker().peer_joined(connection.handle(), traits_of(connection), session_.clock.now());
    peer.in_picker = true;
    // It may have unchoked us before the metadata came, and says so only once.
    if (!connection.choking_us()) owner_.download()->picker().peer_chokes(connection.handle(), false, session_.clock.now());
}

void Connections::peer_pieces(PeerConnection& peer) {
    auto* const download = owner_.download();
    if (download == nullptr) return;
    auto& picker = download->picker();
    if (peer.pieces().all())
        picker.peer_has_all(peer.handle());
    else
        picker.peer_has(peer.handle(), peer.pieces());
    known_.set_seed(peers_.at(peer.handle()).listed, peer.seed());
    if (download->complete() && peer.seed()) {
        leave(peers_.at(peer.handle()), "both sides have everything");
        return;
    }
    if (peer.fast() && peer.pieces().count() < kFewPieces)
        for (auto const piece : allowed_fast_set(peer.remote().address, info_hash_, peer.pieces().size(), limit::kAllowedFast))
            if (download->have().test(piece)) peer.allow_fast(piece);
    update_interest(peer);
}

void Connections::peer_have(PeerConnection& peer, PieceIndex piece) {
    auto* const download = owner_.download();
    if (download == nullptr) return;
    download->picker().peer_has(peer.handle(), piece);
    if (!peer.interested()) update_interest(peer);
    if (!peer.seed()) return;
    known_.set_seed(peers_.at(peer.handle()).listed, true);
    if (download->complete()) leave(peers_.at(peer.handle()), "both sides have everything");
}

void Connections::peer_dont_have(PeerConnection& peer, PieceIndex piece) {
    auto* const download = owner_.download();
    if (download == nullptr) return;
    download->picker().peer_lost(peer.handle(), piece, session_.clock.now());
    update_interest(peer);
}

void Connections::peer_choke(PeerConnection& peer, bool choked) {
    auto& since = peers_.at(peer.handle()).unchokes_us_since;
    since = choked ? std::nullopt : std::optional(since.value_or(session_.clock.now()));
    if (auto* const download = owner_.download()) download->picker().peer_chokes(peer.handle(), choked, session_.clock.now());
}

void Connections::peer_interested(PeerConnection&, bool) { choker_.interest_changed(); }

void Connections::peer_block(PeerConnection& peer, BlockAddress block, std::span<std::byte const> bytes) {
    if (auto* const download = owner_.download()) download->block(peer.handle(), block, bytes, peer.block_transfer());
}

void Connections::peer_reject(PeerConnection& peer, BlockAddress block) {
    if (auto* const download = owner_.download()) download->picker().block_rejected(peer.handle(), block, session_.clock.now());
}

void Connections::peer_allowed_fast(PeerConnection& peer, PieceIndex piece) {
    if (auto* const download = owner_.download()) download->picker().peer_allows(peer.handle(), piece);
}

void Connections::peer_suggest(PeerConnection& peer, PieceIndex piece) {
    if (auto* const download = owner_.download()) download->picker().peer_suggests(peer.handle(), piece);
}

void Connections::peer_extensions(PeerConnection& peer) {
    auto& connected = peers_.at(peer.handle());
    // A peer that dialled us told where it listens: an address to remember, as good as any stranger's word.
    if (peer.incoming() && peer.extensions().port && !owner_.is_private()) {
        auto const listening = peer.listening_at();
        if (listening != connected.listed && connected.listed == peer.remote()) {
            std::vector<Endpoint> const addresses{listening};
            add_addresses(addresses, AddressSource::incoming);
            if (known_.connected(listening, session_.clock.now())) connected.listed = listening;
            peer.set_logger(peer_loggers_.of(connected.listed, peer.remote(), logger_));
        }
    }
    learn_twin(peer);
    if (peer.extensions().ut_pex != 0) exchange_.joined(peer.handle(), session_.clock.now());
    if (peer.extensions().your_address) owner_.peer_says_we_are(*peer.extensions().your_address, peer.remote());
    if (connected.in_picker) owner_.download()->picker().peer_traits(peer.handle(), traits_of(peer));
    auto* const fetch = owner_.metadata_fetch();
    if (fetch != nullptr && peer.extensions().ut_metadata != 0) fetch->peer_offers(peer.handle(), peer.extensions().metadata_size.value_or(0));
}

// It has an address in the other family too, by its own word, which it gives once: a handshake may be repeated at will.
void Connections::learn_twin(PeerConnection& peer) {
    auto const& says = peer.extensions();
    auto const& address = peer.remote().address.is_v6() ? says.ipv4 : says.ipv6;
    auto& connected = peers_.at(peer.handle());
    auto const& listed = connected.listed;
    if (!address || connected.twin_told || (peer.incoming() && !says.port) || owner_.is_private()) return;
    connected.twin_told = true;
    Endpoint const twin{*address, says.port.value_or(listed.port)};
    if (known_.find(twin) != nullptr) return;  // others told us: no peer may say that it is itself
    learn_from(peer, twin, AddressSource::pex);  // what a peer says of any address: vetted as that
    known_.same_peer(listed, twin);
}

void Connections::peer_metadata(PeerConnection& peer, MetadataMessage const& message) {
    if (message.type == MetadataMessage::Type::request)
        serve_metadata(peer, message);
    else if (auto* const fetch = owner_.metadata_fetch())
        fetch->message(peer.handle(), message);
}

void Connections::serve_metadata(PeerConnection& peer, MetadataMessage const& request) {
    auto const* const download = owner_.download();
    MetadataMessage answer;
    answer.piece = request.piece;
    answer.type = MetadataMessage::Type::reject;
    std::uint64_t const begin = std::uint64_t{request.piece} * kBlockBytes;
    if (download != nullptr && begin < download->metainfo().info().size()) {
        auto const info = download->metainfo().info();
        answer.type = MetadataMessage::Type::data;
        answer.total_bytes = static_cast<std::uint32_t>(info.size());
        answer.bytes = info.subspan(static_cast<std::size_t>(begin), std::min<std::size_t>(kBlockBytes, info.size() - static_cast<std::size_t>(begin)));
    }
    peer.send_metadata(answer);
}

void Connections::peer_dht_port(PeerConnection& peer, std::uint16_t port) {
    if (session_.dht != nullptr && !owner_.is_private()) session_.dht->add_node({peer.remote().address, port});
}

void Connections::peer_batch_ended(PeerConnection&) {
    if (choker_.is_due(session_.clock.now())) rechoke();  // else the next tick does
    if (auto* const download = owner_.download()) download->replan();
}

asio::awaitable<SharedBytes> Connections::read_for_peer(PieceIndex piece, ByteRange range) {
    auto* const download = owner_.download();
    if (download == nullptr || !download->have().test(piece)) throw_error(Errc::not_found, "we do not have this piece");
    if (auto bytes = download->store().try_read(piece, range)) co_return std::move(*bytes);
    co_return co_await download->store().read(piece, range);
}

void Connections::carry_out(PiecePicker::Order const& order) {
    auto* const connection = find(order.peer);
    if (connection == nullptr) return;
    if (order.kind == PiecePicker::Order::Kind::request)
        connection->request(order.block);
    else
        connection->cancel(order.block);
}

void Connections::metadata_arrived() {
    auto const* const download = owner_.download();
    for (auto& [handle, peer] : peers_) join_picker(peer);
    for (auto& [handle, peer] : peers_) {
        auto& connection = *peer.connection;
        if (!connection.reason().empty()) continue;
        connection.metadata_known(download->metainfo().pieces(), download->have());
        auto ours = our_extensions(connection.remote());
        ours.ut_pex_named = ours.ut_holepunch_named = true;  // ended where the torrent has turned out to be private
        connection.send_extensions(ours);
    }
    dial_more();
}

void Connections::send_metadata(PeerHandle peer, MetadataMessage const& message) {
    if (auto* const connection = find(peer)) connection->send_metadata(message);
}

void Connections::piece_stored(PieceIndex piece) {
    bool const complete = owner_.download()->complete();
    for (auto& [handle, peer] : peers_) {
        peer.connection->have(piece);
        if (complete) peer.connection->send_extensions(our_extensions(peer.connection->remote()));
    }
    interest_dirty_ = true;
    if (complete) {
        wishes_changed();
        leave_fellow_seeds();
    }
}

void Connections::pieces_gone(std::span<PieceIndex const> pieces) {
    for (auto& [handle, peer] : peers_) {
        for (auto const piece : pieces) peer.connection->dont_have(piece);
        peer.connection->send_extensions(our_extensions(peer.connection->remote()));  // no longer upload_only
    }
}

// A reader whose window is full wants more of the peer soon; a peer told otherwise gives the slot away, and it takes a
// choker's round (BEP 3: 10 s) to get another.
void Connections::update_interest(PeerConnection& peer) {
    auto const* const download = owner_.download();
    auto const now = session_.clock.now();
    bool const interesting = download != nullptr && download->picker().interesting(peer.handle());
    auto& last = peers_.at(peer.handle()).last_interesting;
    if (interesting) last = now;
    bool const soon = peer.interested() && !peer.choking_us() && owner_.active() && now - last < kStayInterested;
    peer.set_interested(interesting || soon);
    interest_dirty_ = interest_dirty_ || (soon && !interesting);
}

void Connections::wishes_changed() {
    auto const* const download = owner_.download();
    if (download == nullptr) return;
    for (auto& [handle, peer] : peers_) {
        if (!peer.in_picker) continue;
        if (download->picker().interesting(handle))
            peer.connection->set_interested(true);
        else
            interest_dirty_ = true;  // told at the next tick: readers that seek about want something again at once
    }
}

ChokerPeer Connections::choker_view(PeerHandle handle, ConnectedPeer const& peer, TimePoint now) const {
    auto const& connection = *peer.connection;
    ChokerPeer view;
    view.peer = handle;
    view.interested = connection.interested_in_us() && connection.reason().empty();
    view.download_rate = connection.download_rate(now);
    view.upload_rate = connection.upload_rate(now);
    view.window_bytes = connection.downloaded_bytes() - peer.downloaded_at_round;
    view.snubs_us = owner_.download() != nullptr && peer.in_picker && owner_.download()->picker().snubbed(handle, now);
    view.connected_since = connection.connected_since();
    view.unchoked_since = peer.unchoked_since;
    view.uploaded_since_unchoke = connection.uploaded_bytes() - peer.uploaded_at_unchoke;
    view.last_unchoked = peer.last_unchoked;
    return view;
}

void Connections::rechoke() {
    auto* const download = owner_.download();
    if (download == nullptr) return;
    auto const now = session_.clock.now();
    bool const round = now >= choker_.next_round();
    std::vector<ChokerPeer> views;
    for (auto const& [handle, peer] : peers_) views.push_back(choker_view(handle, peer, now));
    Choker::Rules rules;
    rules.slots = session_.settings.upload_slots;
    rules.seeding = !owner_.active();
    rules.piece_bytes = download->metainfo().pieces().piece_bytes();
    auto const unchoked = choker_.decide(views, rules, now);
    for (auto& [handle, peer] : peers_) {
        if (round) peer.downloaded_at_round = peer.connection->downloaded_bytes();
        bool const serve = unchoked.contains(handle);
        if (serve == peer.unchoked_since.has_value()) continue;
        if (serve) {
            peer.unchoked_since = now;
            peer.uploaded_at_unchoke = peer.connection->uploaded_bytes();
        } else {
            peer.last_unchoked = now;
            peer.unchoked_since.reset();
        }
        peer.connection->set_choked(!serve);
    }
}

}  // namespace rqfs::torrent
