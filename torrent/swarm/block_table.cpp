#include "torrent/swarm/block_table.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace rqfs::torrent {

BlockTable::FlightId BlockTable::open(PieceIndex piece, std::uint32_t blocks) {
    if (spare_flights_.empty()) {
        spare_flights_.push_back(static_cast<FlightId>(flights_.size()));
        flights_.emplace_back();
    }
    FlightId const id = spare_flights_.back();
    spare_flights_.pop_back();
    Flight& flight = flights_[id];
    std::vector<Block> storage = std::move(flight.blocks);
    storage.assign(blocks, Block{});
    flight = Flight{};
    flight.piece = piece;
    flight.free = blocks;
    flight.blocks = std::move(storage);
    flight.used = static_cast<std::uint32_t>(in_use_.size());
    in_use_.push_back(id);
    blocks_in_flight_ += blocks;
    return id;
}

void BlockTable::close(FlightId id) {
    assert(flights_[id].outstanding == 0);
    blocks_in_flight_ -= static_cast<std::uint32_t>(flights_[id].blocks.size());
    spare_flights_.push_back(id);
    std::uint32_t const place = flights_[id].used;
    in_use_[place] = in_use_.back();
    flights_[in_use_[place]].used = place;
    in_use_.pop_back();
}

BlockTable::Queue const& BlockTable::queue(PeerSlot peer) const {
    static constexpr Queue kEmpty;
    return peer < queues_.size() ? queues_[peer] : kEmpty;
}

BlockTable::RequestId BlockTable::ask(FlightId flight_id, BlockIndex block, PeerSlot peer, TimePoint now) {
    if (spare_requests_.empty()) {
        spare_requests_.push_back(static_cast<RequestId>(requests_.size()));
        requests_.emplace_back();
    }
    RequestId const id = spare_requests_.back();
    spare_requests_.pop_back();
    if (queues_.size() <= peer) queues_.resize(std::size_t{peer} + 1);

    Flight& flight = flights_[flight_id];
    Block& record = flight.blocks[block.value()];
    Queue& queue = queues_[peer];
    if (record.free()) --flight.free;
    requests_[id] = Request{.block = {flight.piece, block},
                            .flight = flight_id,
                            .peer = peer,
                            .next_of_block = record.first,
                            .previous_of_peer = queue.last,
                            .sent = now};
    record.first = id;
    ++record.asked;
    ++record.expected;
    ++flight.outstanding;
    (queue.last == kNone ? queue.first : requests_[queue.last].next_of_peer) = id;
    queue.last = id;
    ++queue.size;
    ++queue.expected;
    return id;
}

void BlockTable::drop(RequestId id) {
    Request const request = requests_[id];
    doubt(id);
    unlink_from_block(id);
    unlink_from_peer(id);
    --flights_[request.flight].outstanding;
    spare_requests_.push_back(id);
}

void BlockTable::doubt(RequestId id) {
    Request& request = requests_[id];
    if (!request.expected) return;
    request.expected = false;
    --queues_[request.peer].expected;
    Flight& flight = flights_[request.flight];
    Block& block = flight.blocks[request.block.block.value()];
    --block.expected;
    if (block.free()) made_free(flight, request.block.block);
}

void BlockTable::made_free(Flight& flight, BlockIndex block) {
    ++flight.free;
    flight.hint = std::min(flight.hint, block.value());
}

void BlockTable::arrived(FlightId id, BlockIndex block) {
    Flight& flight = flights_[id];
    Block& record = flight.blocks[block.value()];
    assert(!record.here);
    if (record.free()) --flight.free;
    record.here = true;
    ++flight.here;
}

BlockTable::RequestId BlockTable::find(FlightId flight, BlockIndex block, PeerSlot peer) const {
    RequestId id = flights_[flight].blocks[block.value()].first;
    while (id != kNone && requests_[id].peer != peer) id = requests_[id].next_of_block;
    return id;
}

void BlockTable::number(PeerSlot peer) {
    std::uint32_t ahead = 0;
    for (RequestId id = queue(peer).first; id != kNone; id = requests_[id].next_of_peer) {
        requests_[id].ahead = ahead;
        if (requests_[id].expected) ++ahead;
    }
}

void BlockTable::unlink_from_block(RequestId id) {
    Request const& request = requests_[id];
    Block& block = flights_[request.flight].blocks[request.block.block.value()];
    RequestId* link = &block.first;
    while (*link != id) link = &requests_[*link].next_of_block;
    *link = request.next_of_block;
    --block.asked;
}

void BlockTable::unlink_from_peer(RequestId id) {
    Request const& request = requests_[id];
    Queue& queue = queues_[request.peer];
    (request.previous_of_peer == kNone ? queue.first : requests_[request.previous_of_peer].next_of_peer) =
        request.next_of_peer;
    (request.next_of_peer == kNone ? queue.last : requests_[request.next_of_peer].previous_of_peer) =
        request.previous_of_peer;
    --queue.size;
}

}  // namespace rqfs::torrent
