#include "torrent/peer/peer_connection_state.h"
#include "torrent/settings.h"

#include <string>
#include <utility>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kEarlyAllowedFast = 32;  // kept until the metadata is known; BEP 6 suggests 10

std::string block_text(Message const& m) {
    return "piece " + std::to_string(m.piece) + " begin " + std::to_string(m.begin) + " length " +
           std::to_string(m.length);
}

}  // namespace

void PeerConnection::State::handle(Message const& message) {
    if (trace())
        options.logger->trace("received peer={} message=\"{}\" piece={} begin={} length={} bytes={}", remote_text(),
                              name(message.id), message.piece, message.begin, message.length, message.bytes.size());
    if (of_fast_extension(message.id) && !fast)
        return close(std::string(name(message.id)) + " message without the fast extension");
    switch (message.id) {
        case MessageId::bitfield:
        case MessageId::have_all:
        case MessageId::have_none: return on_first_pieces(message);
        case MessageId::extended: return on_extended(message);
        case MessageId::port: return on_port(message);
        default: break;
    }
    // Whoever starts with anything else has nothing yet (BEP 3; clients leave out an empty bitfield, and BEP 6's must).
    if (!pieces_said) first_pieces_known();
    if (closing) return;
    switch (message.id) {
        case MessageId::choke: return on_choke(true);
        case MessageId::unchoke: return on_choke(false);
        case MessageId::interested: return on_interested(true);
        case MessageId::not_interested: return on_interested(false);
        case MessageId::have: return on_have(message);
        case MessageId::request: return on_request(message);
        case MessageId::cancel: return on_cancel({PieceIndex(message.piece), message.begin, message.length});
        case MessageId::piece: return on_piece(message);
        case MessageId::reject: return on_reject(message);
        default: return on_hint(message);
    }
}

void PeerConnection::State::first_pieces_known() {
    pieces_said = true;
    if (options.layout) owner.peer_pieces(self);
}

void PeerConnection::State::on_first_pieces(Message const& message) {
    if (pieces_said && message.id == MessageId::bitfield) return on_later_bitfield(message);
    if (pieces_said) return close(std::string(name(message.id)) + " message that is not the first");
    if (message.id == MessageId::bitfield) {
        if (auto const set = pieces.set_bitfield(message.bytes); !set) return close(set.error().what);
    } else if (message.id == MessageId::have_all) {
        pieces.set_all();
    }
    first_pieces_known();
}

// aria2 sends its bitfield again where that is shorter than the have messages for what is new.
void PeerConnection::State::on_later_bitfield(Message const& message) {
    if (!options.layout) {
        if (auto const set = pieces.set_bitfield(message.bytes); !set) close(set.error().what);
        return;
    }
    auto const theirs_now = Bitfield::parse(message.bytes, options.layout->pieces());
    if (!theirs_now) return close(theirs_now.error().what);
    for (std::uint32_t i = 0; i < theirs_now->size() && !closing; ++i) {
        if (!theirs_now->test(PieceIndex(i))) continue;
        auto const news = pieces.add(i);
        if (news && *news) owner.peer_have(self, PieceIndex(i));
    }
}

void PeerConnection::State::on_have(Message const& message) {
    auto const news = pieces.add(message.piece);
    if (!news) return close("have message: " + news.error().what);
    if (*news) owner.peer_have(self, PieceIndex(message.piece));
}

void PeerConnection::State::on_piece(Message const& message) {
    auto const block =
        options.layout ? options.layout->block(message.piece, message.begin, message.length) : std::nullopt;
    if (!block) return close("piece message with a block that does not exist: " + block_text(message));
    if (++blocks_received > blocks_asked + limit::kUnaskedBlocks) return close("sends blocks that nobody asked for");
    down.add(message.bytes.size(), now);
    last_useful = now;
    rejects_in_a_row = 0;
    owner.peer_block(self, *block, message.bytes);
}

void PeerConnection::State::on_reject(Message const& message) {
    auto const block =
        options.layout ? options.layout->block(message.piece, message.begin, message.length) : std::nullopt;
    if (!block) return close("reject message for a block that does not exist: " + block_text(message));
    // A choking peer rejects all that was asked (BEP 6); what we cancelled is rejected as well.
    if (cancels_unanswered > 0)
        --cancels_unanswered;
    else if (!choking_us && ++rejects_in_a_row > limit::kRejectsInARow)
        return close("rejects request after request");
    owner.peer_reject(self, *block);
}

void PeerConnection::State::on_choke(bool choked) {
    rejects_in_a_row = 0;
    if (choked == choking_us) return;
    choking_us = choked;
    owner.peer_choke(self, choked);
}

void PeerConnection::State::on_interested(bool is) {
    if (is == interested_in_us) return;
    interested_in_us = is;
    last_useful = now;
    owner.peer_interested(self, is);
}

void PeerConnection::State::on_hint(Message const& message) {
    if (!options.layout) {
        if (message.id == MessageId::allowed_fast && early_allowed_fast.size() < kEarlyAllowedFast)
            early_allowed_fast.push_back(message.piece);
        return;
    }
    auto const piece = options.layout->piece(message.piece);
    if (!piece)
        return close(std::string(name(message.id)) + " message: piece " + std::to_string(message.piece) +
                     " does not exist");
    if (message.id == MessageId::allowed_fast)
        owner.peer_allowed_fast(self, *piece);
    else
        owner.peer_suggest(self, *piece);
}

void PeerConnection::State::on_port(Message const& message) {
    if (options.dht_port == 0 || message.port == 0 || std::exchange(port_said, true)) return;
    owner.peer_dht_port(self, message.port);
}

void PeerConnection::State::on_extended(Message const& message) {
    if (!theirs.extensions) return close("extended message without the extension protocol");
    if (message.extended_id == kOurDontHaveId) return on_dont_have(message.bytes);
    if (message.extended_id == kOurMetadataId) {
        auto const parsed = MetadataMessage::parse(message.bytes);
        if (parsed)
            owner.peer_metadata(self, *parsed);
        else if (trace())
            options.logger->trace("ignored peer={} reason=\"{}\"", remote_text(), parsed.error().what);
        return;
    }
    if (message.extended_id == kOurPexId) return on_peer_exchange(message.bytes);
    if (message.extended_id == kOurHolepunchId) return on_holepunch(message.bytes);
    auto const parsed = ExtensionHandshake::parse(message.bytes);
    if (!parsed) return close(parsed.error().what);
    extensions.merge(*parsed);
    owner.peer_extensions(self);
}

void PeerConnection::State::on_peer_exchange(std::span<std::byte const> payload) {
    auto const parsed = PexMessage::parse(payload);
    if (!parsed) return close(parsed.error().what);
    owner.peer_exchange(self, *parsed);
}

void PeerConnection::State::on_holepunch(std::span<std::byte const> payload) {
    auto const parsed = HolepunchMessage::parse(payload);
    if (!parsed) return close(parsed.error().what);
    owner.peer_holepunch(self, *parsed);
}

void PeerConnection::State::on_dont_have(std::span<std::byte const> payload) {
    if (payload.size() != 4) return close("lt_donthave message of " + std::to_string(payload.size()) + " bytes, not 4");
    auto const piece = read_be32(payload);
    auto const news = pieces.remove(piece);
    if (!news) return close("lt_donthave message: " + news.error().what);
    if (*news) owner.peer_dont_have(self, PieceIndex(piece));
}

}  // namespace rqfs::torrent
