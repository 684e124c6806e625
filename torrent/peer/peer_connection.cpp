#include "torrent/peer/peer_connection.h"

#include "torrent/log.h"
#include "torrent/peer/peer_connection_state.h"

#include <optional>
#include <utility>
#include <vector>

namespace rqfs::torrent {

namespace asio = boost::asio;

PeerConnection::State::State(PeerConnection& connection, asio::any_io_executor const& its_executor, Clock& its_clock,
                             std::unique_ptr<StreamSocket> its_socket, Handshake const& handshake, Options its_options,
                             Owner& its_owner)
    : self(connection),
      owner(its_owner),
      executor(its_executor),
      clock(its_clock),
      socket(std::move(its_socket)),
      theirs(handshake),
      options(std::move(its_options)),
      fast(handshake.fast),
      closed(executor),
      control_drained(executor),
      now(clock.now()),
      last_byte(now),
      last_message(now),
      pieces(options.layout ? std::optional(options.layout->pieces()) : std::nullopt),
      upload_possible(executor),
      writer_work(executor),
      last_sent(now),
      connected_since(now),
      last_useful(now) {
    if (!options.logger) options.logger = shared_log();
    say_first_messages();
}

PeerConnection::PeerConnection(asio::any_io_executor executor, Clock& clock, std::unique_ptr<StreamSocket> socket,
                               Handshake theirs, Options options, Owner& owner)
    : state_(std::make_unique<State>(*this, executor, clock, std::move(socket), theirs, std::move(options), owner)) {}

PeerConnection::~PeerConnection() = default;

asio::awaitable<void> PeerConnection::run() { return state_->run(); }

void PeerConnection::close(std::string reason) { state_->close(std::move(reason)); }

std::string const& PeerConnection::reason() const { return state_->reason; }

void PeerConnection::request(BlockAddress block) {
    ++state_->blocks_asked;
    auto const& layout = *state_->options.layout;
    append_message(state_->out.control(), MessageId::request, block.piece, layout.begin(block), layout.bytes(block));
    state_->wake_writer();
}

void PeerConnection::cancel(BlockAddress block) {
    auto const& layout = *state_->options.layout;
    append_message(state_->out.control(), MessageId::cancel, block.piece, layout.begin(block), layout.bytes(block));
    if (state_->fast) ++state_->cancels_unanswered;
    state_->wake_writer();
}

void PeerConnection::set_choked(bool choked) {
    auto& s = *state_;
    if (choked == s.choking_them) return;
    s.choking_them = choked;
    s.choked_requests = 0;
    append_message(s.out.control(), choked ? MessageId::choke : MessageId::unchoke);
    if (choked) {
        s.choked_them_at = s.clock.now();
        s.refuse_if([&](Request const& request) { return !s.allowed_fast.contains(request.piece); });
    }
    s.wake_writer();
}

void PeerConnection::set_interested(bool interested) {
    auto& s = *state_;
    if (interested == s.interested) return;
    s.interested = interested;
    s.last_useful = s.clock.now();
    append_message(s.out.control(), interested ? MessageId::interested : MessageId::not_interested);
    s.wake_writer();
}

void PeerConnection::have(PieceIndex piece) {
    auto const& theirs = pieces();
    if (piece.value() < theirs.size() && theirs.test(piece)) return;
    append_message(state_->out.control(), MessageId::have, piece);
    state_->wake_writer();
}

void PeerConnection::dont_have(PieceIndex piece) {
    auto& s = *state_;
    if (s.extensions.lt_donthave != 0) {
        std::vector<std::byte> payload;
        append_be32(payload, piece.value());
        s.say_extended(s.extensions.lt_donthave, payload);
    }
    s.refuse_if([&](Request const& request) { return request.piece == piece; });
}

void PeerConnection::allow_fast(PieceIndex piece) {
    auto& s = *state_;
    if (!s.fast || !s.allowed_fast.insert(piece).second) return;
    append_message(s.out.control(), MessageId::allowed_fast, piece);
    s.wake_writer();
}

void PeerConnection::send_extensions(ExtensionHandshake const& ours) {
    if (state_->theirs.extensions) state_->say_extended(0, ours.encode());
}

void PeerConnection::send_metadata(MetadataMessage const& message) {
    if (state_->extensions.ut_metadata != 0) state_->say_extended(state_->extensions.ut_metadata, message.encode());
}

void PeerConnection::send_exchange(PexMessage const& message) {
    if (state_->extensions.ut_pex != 0) state_->say_extended(state_->extensions.ut_pex, message.encode());
}

void PeerConnection::send_holepunch(HolepunchMessage const& message) {
    if (state_->extensions.ut_holepunch != 0) state_->say_extended(state_->extensions.ut_holepunch, message.encode());
}

void PeerConnection::metadata_known(PieceLayout const& layout, Bitfield const& have_now) {
    auto& s = *state_;
    s.options.layout = layout;
    if (auto const checked = s.pieces.layout_known(layout.pieces()); !checked) return s.close(checked.error().what);
    if (s.pieces_said) s.owner.peer_pieces(*this);
    for (auto const number : std::exchange(s.early_allowed_fast, {})) {
        auto const piece = layout.piece(number);
        if (!piece) return s.close("allowed fast message: piece " + std::to_string(number) + " does not exist");
        if (!s.closing) s.owner.peer_allowed_fast(*this, *piece);
    }
    for (PieceIndex piece(0); piece.value() < have_now.size(); ++piece)
        if (have_now.test(piece)) have(piece);
}

PeerHandle PeerConnection::handle() const { return state_->options.handle; }
Endpoint PeerConnection::remote() const { return state_->socket->remote(); }

Endpoint PeerConnection::listening_at() const {
    auto endpoint = remote();
    if (incoming()) endpoint.port = state_->extensions.port.value_or(0);
    return endpoint;
}

bool PeerConnection::incoming() const { return state_->options.incoming; }
Handshake const& PeerConnection::handshake() const { return state_->theirs; }
ExtensionHandshake const& PeerConnection::extensions() const { return state_->extensions; }
bool PeerConnection::fast() const { return state_->fast; }
Bitfield const& PeerConnection::pieces() const { return state_->pieces.pieces(); }
Duration PeerConnection::block_transfer() const { return state_->now - state_->message_began.value_or(state_->now); }
bool PeerConnection::seed() const { return state_->pieces.all(); }
bool PeerConnection::choking_us() const { return state_->choking_us; }
bool PeerConnection::choked_by_us() const { return state_->choking_them; }
bool PeerConnection::interested_in_us() const { return state_->interested_in_us; }
bool PeerConnection::interested() const { return state_->interested; }

std::uint32_t PeerConnection::requests_queued() const {
    return static_cast<std::uint32_t>(state_->requests.size() + state_->out.blocks());
}

std::uint64_t PeerConnection::downloaded_bytes() const { return state_->down.total(); }
std::uint64_t PeerConnection::uploaded_bytes() const { return state_->up.total(); }
double PeerConnection::download_rate(TimePoint now) const { return state_->down.rate(now); }
double PeerConnection::upload_rate(TimePoint now) const { return state_->up.rate(now); }
TimePoint PeerConnection::connected_since() const { return state_->connected_since; }
TimePoint PeerConnection::last_useful() const { return state_->last_useful; }

void PeerConnection::set_logger(std::shared_ptr<spdlog::logger> logger) {
    state_->options.logger = logger ? std::move(logger) : shared_log();
}

}  // namespace rqfs::torrent
