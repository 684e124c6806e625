#include "torrent/swarm/piece_picker.h"

#include "torrent/swarm/piece_picker_state.h"

#include <algorithm>
#include <utility>

namespace rqfs::torrent {

PiecePicker::PiecePicker(PieceLayout const& layout, Bitfield have, std::uint64_t seed)
    : state_(std::make_unique<State>(layout, std::move(have), seed)) {}
PiecePicker::PiecePicker(PiecePicker&&) noexcept = default;
PiecePicker& PiecePicker::operator=(PiecePicker&&) noexcept = default;
PiecePicker::~PiecePicker() = default;

void PiecePicker::peer_joined(PeerHandle peer, PeerTraits const& traits, TimePoint now) {
    state_->advance(now);
    state_->join(peer, traits);
}

void PiecePicker::peer_left(PeerHandle handle, TimePoint now) {
    state_->advance(now);
    if (PickerPeer* const peer = state_->find(handle)) state_->leave(*peer);
}

void PiecePicker::peer_traits(PeerHandle handle, PeerTraits const& traits) {
    if (PickerPeer* const peer = state_->find(handle)) peer->traits = traits;
}

void PiecePicker::peer_has(PeerHandle handle, Bitfield const& field) {
    PickerPeer* const peer = state_->find(handle);
    if (peer == nullptr) return;
    if (field.all()) {
        state_->has_all(*peer);
        return;
    }
    IndexSet set(state_->layout.pieces());
    for (std::uint32_t i = 0; i < set.size(); ++i)
        if (field.test(PieceIndex(i))) set.set(i);
    state_->has(*peer, std::move(set));
}

void PiecePicker::peer_has_all(PeerHandle handle) {
    if (PickerPeer* const peer = state_->find(handle)) state_->has_all(*peer);
}

void PiecePicker::peer_has(PeerHandle handle, PieceIndex piece) {
    PickerPeer* const peer = state_->find(handle);
    if (peer == nullptr || peer->has(piece)) return;
    peer->pieces.set(piece.value());
    peer->nothing_as_of = 0;
    state_->availability.add(piece);
    if (peer->complete()) ++state_->complete_peers;
}

void PiecePicker::peer_lost(PeerHandle handle, PieceIndex piece, TimePoint now) {
    state_->advance(now);
    PickerPeer* const peer = state_->find(handle);
    if (peer != nullptr && peer->has(piece)) state_->lost(*peer, piece);
}

void PiecePicker::peer_chokes(PeerHandle handle, bool choked, TimePoint now) {
    state_->advance(now);
    PickerPeer* const peer = state_->find(handle);
    if (peer == nullptr || peer->choked == choked) return;
    peer->choked = choked;
    peer->nothing_as_of = 0;
    if (choked) state_->choke(*peer);
}

void PiecePicker::peer_allows(PeerHandle handle, PieceIndex piece) {
    PickerPeer* const peer = state_->find(handle);
    if (peer == nullptr || peer->allowed.size() >= PickerPeer::kAllowed) return;
    if (std::ranges::find(peer->allowed, piece) != peer->allowed.end()) return;
    peer->allowed.push_back(piece);
    peer->nothing_as_of = 0;
}

void PiecePicker::peer_suggests(PeerHandle handle, PieceIndex piece) {
    PickerPeer* const peer = state_->find(handle);
    if (peer == nullptr || std::ranges::find(peer->suggested, piece) != peer->suggested.end()) return;
    if (peer->suggested.size() >= PickerPeer::kSuggested) peer->suggested.erase(peer->suggested.begin());
    peer->suggested.push_back(piece);
}

void PiecePicker::peer_parole(PeerHandle handle, bool on_parole) {
    PickerPeer* const peer = state_->find(handle);
    if (peer == nullptr || peer->parole == on_parole) return;
    peer->parole = on_parole;
    peer->nothing_as_of = 0;
    state_->release_own_piece(*peer);
}

void PiecePicker::set_padding(std::span<BlockAddress const> blocks) {
    for (BlockAddress const& block : blocks) state_->padding[block.piece].push_back(block.block);
}

void PiecePicker::set_wanted(Bitfield const& wanted) { state_->want(wanted); }

void PiecePicker::set_wishes(ReaderId reader, std::vector<Wish> wishes, TimePoint now) {
    state_->advance(now);
    state_->deadlines.set(reader, std::move(wishes));
    state_->wishes_changed = true;
}

void PiecePicker::drop_reader(ReaderId reader, TimePoint now) {
    state_->advance(now);
    state_->deadlines.drop(reader);
    state_->wishes_changed = true;
}

void PiecePicker::hold(bool on_hold) { state_->on_hold = on_hold; }

PiecePicker::Arrival PiecePicker::block_arrived(PeerHandle handle, BlockAddress block, TimePoint now,
                                                Duration transfer) {
    state_->advance(now);
    PickerPeer* const peer = state_->find(handle);
    return peer == nullptr ? Arrival::unrequested : state_->arrived(*peer, block, transfer);
}

bool PiecePicker::failed_before(PieceIndex piece) const { return state_->second_tries.known(piece); }

bool PiecePicker::second_try(BlockAddress block, PeerHandle handle) const {
    PickerPeer const* const peer = state_->find(handle);
    if (peer == nullptr || !state_->second_tries.is_one(block.piece)) return false;
    if (peer->late_blocks.contains(block)) return true;
    BlockTable::FlightId const flight = state_->piece(block.piece).flight;
    return flight != BlockTable::kNone && !state_->table.flight(flight).alone &&
           state_->table.find(flight, block.block, peer->slot) != BlockTable::kNone;
}

void PiecePicker::block_disputed(PeerHandle handle, BlockAddress block, TimePoint now, Duration transfer) {
    state_->advance(now);
    if (PickerPeer* const peer = state_->find(handle)) state_->disputed(*peer, block, transfer);
}

void PiecePicker::block_rejected(PeerHandle handle, BlockAddress block, TimePoint now) {
    state_->advance(now);
    PickerPeer* const peer = state_->find(handle);
    if (peer == nullptr) return;
    // An answer to what was cancelled comes before one to what was asked after it.
    if (peer->late_blocks.take(block, now)) return;
    BlockTable::FlightId const flight = state_->piece(block.piece).flight;
    if (flight == BlockTable::kNone) return;
    BlockTable::RequestId const request = state_->table.find(flight, block.block, peer->slot);
    if (request == BlockTable::kNone) return;
    peer->rejected(block, now);
    if (peer->choked) std::erase(peer->allowed, block.piece);
    state_->drop(request, false);
}

void PiecePicker::piece_verified(PieceIndex piece) {
    state_->end_flight(piece, State::Phase::have);
    state_->piece(piece).target = State::kNone;
    state_->second_tries.passed(piece);
    state_->deadlines.fulfilled(piece);
}

void PiecePicker::piece_failed(PieceIndex piece, std::vector<PeerHandle> const& senders, TimePoint now) {
    state_->advance(now);
    if (state_->piece(piece).phase != State::Phase::complete) return;
    state_->end_flight(piece, State::Phase::missing);
    state_->second_tries.failed(piece, senders);
}

void PiecePicker::piece_lost(PieceIndex piece) {
    if (state_->piece(piece).phase == State::Phase::have) state_->end_flight(piece, State::Phase::missing);
}

std::vector<PieceIndex> PiecePicker::unwanted_pieces() const { return state_->unwanted(); }

void PiecePicker::piece_abandoned(PieceIndex piece) {
    if (state_->piece(piece).phase == State::Phase::in_flight) state_->end_flight(piece, State::Phase::missing);
}

std::vector<PiecePicker::Order> PiecePicker::plan(TimePoint now) {
    state_->advance(now);
    return state_->plan();
}

std::optional<TimePoint> PiecePicker::next_plan(TimePoint now) const {
    state_->advance(now);
    return state_->next_plan();
}

bool PiecePicker::knows(PeerHandle peer) const { return state_->find(peer) != nullptr; }

Bitfield const& PiecePicker::have() const { return state_->have; }

bool PiecePicker::interesting(PeerHandle handle) const {
    PickerPeer const* const peer = state_->find(handle);
    if (peer == nullptr) return false;
    state_->refresh();
    return peer->all ? state_->needed.count() > 0 : state_->needed.intersects(peer->pieces);
}

bool PiecePicker::wanted_anywhere(PieceIndex piece) const {
    state_->refresh();
    return state_->needed.test(piece.value());
}

std::uint32_t PiecePicker::requests_in_flight(PeerHandle handle) const {
    PickerPeer const* const peer = state_->find(handle);
    return peer == nullptr ? 0 : state_->table.queue(peer->slot).size;
}

double PiecePicker::download_rate(PeerHandle handle, TimePoint now) const {
    state_->advance(now);
    PickerPeer const* const peer = state_->find(handle);
    return peer == nullptr ? 0 : state_->rate(*peer);
}

Duration PiecePicker::round_trip(PeerHandle handle) const {
    PickerPeer const* const peer = state_->find(handle);
    return peer == nullptr ? Duration::zero() : peer->rate.round_trip();
}

bool PiecePicker::snubbed(PeerHandle handle, TimePoint now) const {
    PickerPeer const* const peer = state_->find(handle);
    return peer != nullptr && !peer->choked && (peer->snubbed || peer->rate.silence(now) >= PickerPeer::kSnubbedAfter);
}

std::uint32_t PiecePicker::availability(PieceIndex piece) const { return state_->availability.of(piece); }

std::uint64_t PiecePicker::duplicate_bytes() const { return state_->duplicate_bytes; }

std::vector<PieceIndex> PiecePicker::in_flight() const {
    std::vector<PieceIndex> found;
    for (std::uint32_t const i : state_->table.in_use()) found.push_back(state_->table.flight(i).piece);
    std::ranges::sort(found);
    return found;
}

std::vector<PiecePicker::Asked> PiecePicker::asked(BlockAddress block, TimePoint now) const {
    state_->advance(now);
    std::vector<Asked> asked;
    BlockTable::FlightId const flight = state_->piece(block.piece).flight;
    if (flight == BlockTable::kNone) return asked;
    for (auto id = state_->table.flight(flight).blocks[block.block.value()].first; id != BlockTable::kNone;
         id = state_->table.request(id).next_of_block) {
        BlockTable::Request const& request = state_->table.request(id);
        state_->table.number(request.peer);
        auto const expected = std::chrono::duration<double>(state_->expected(id));
        asked.push_back(
            {state_->at(request.peer).handle, request.sent, std::chrono::duration_cast<Duration>(expected)});
    }
    std::ranges::sort(asked, {}, &Asked::peer);
    return asked;
}

}  // namespace rqfs::torrent
