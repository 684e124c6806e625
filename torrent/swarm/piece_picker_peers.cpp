#include "torrent/swarm/piece_picker_state.h"

#include <algorithm>
#include <utility>

namespace rqfs::torrent {

PickerPeer* PiecePicker::State::find(PeerHandle peer) const {
    auto const found = by_handle.find(peer);
    return found == by_handle.end() ? nullptr : found->second;
}

void PiecePicker::State::join(PeerHandle handle, PeerTraits const& traits) {
    if (find(handle) != nullptr) return;
    if (spare_slots.empty()) {
        spare_slots.push_back(static_cast<std::uint32_t>(by_slot.size()));
        by_slot.emplace_back();
    }
    auto peer = std::make_unique<PickerPeer>();
    peer->handle = handle;
    peer->slot = spare_slots.back();
    peer->traits = traits;
    peer->pieces = IndexSet(layout.pieces());
    spare_slots.pop_back();
    peers.insert(std::ranges::upper_bound(peers, handle, {}, &PickerPeer::handle), peer.get());
    by_handle.emplace(handle, peer.get());
    by_slot[peer->slot] = std::move(peer);
}

void PiecePicker::State::leave(PickerPeer& peer) {
    release_own_piece(peer);
    drop_all(peer, false);
    has(peer, IndexSet(layout.pieces()));
    std::erase_if(orders, [&](Order const& order) { return order.peer == peer.handle; });
    std::erase(peers, &peer);
    by_handle.erase(peer.handle);
    spare_slots.push_back(peer.slot);
    by_slot[peer.slot].reset();
}

void PiecePicker::State::has(PickerPeer& peer, IndexSet set) {
    if (peer.complete()) --complete_peers;
    if (peer.all)
        availability.remove_all();
    else
        availability.remove(peer.pieces);
    peer.all = false;
    peer.pieces = std::move(set);
    peer.nothing_as_of = 0;
    availability.add(peer.pieces);
    if (peer.complete()) ++complete_peers;
}

void PiecePicker::State::has_all(PickerPeer& peer) {
    if (peer.all) return;
    has(peer, IndexSet(layout.pieces()));
    peer.all = true;
    availability.add_all();
    ++complete_peers;
}

void PiecePicker::State::lost(PickerPeer& peer, PieceIndex index) {
    if (peer.all) has(peer, IndexSet(layout.pieces(), true));
    if (peer.complete()) --complete_peers;
    peer.pieces.clear(index.value());
    availability.remove(index);
    FlightId const id = piece(index).flight;
    if (id == kNone) return;
    if (table.flight(id).owner == peer.slot) release_own_piece(peer);
    for (RequestId request = table.queue(peer.slot).first; request != kNone;) {
        BlockTable::Request const& record = table.request(request);
        RequestId const next = record.next_of_peer;
        if (record.block.piece == index) withdraw(request);
        request = next;
    }
}

void PiecePicker::State::choke(PickerPeer& peer) {
    release_own_piece(peer);
    if (peer.traits.fast)
        doubt_all(peer);
    else
        drop_all(peer, true);
}

void PiecePicker::State::release_own_piece(PickerPeer& peer) {
    if (!peer.own_piece) return;
    PieceIndex const index = *std::exchange(peer.own_piece, std::nullopt);
    FlightId const id = piece(index).flight;
    if (id == kNone || table.flight(id).owner != peer.slot) return;
    table.flight(id).owner = kNone;
    table.flight(id).alone = false;
    ++changes;
    reclassify(index);
}

double PiecePicker::State::rate(PickerPeer const& peer) const {
    return peer.rate.known() ? peer.rate.rate(now) : peer.rate.guess(median_rate, now);
}

}  // namespace rqfs::torrent
