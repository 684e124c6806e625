#pragma once

#include "torrent/units.h"

#include <cstdint>
#include <limits>
#include <vector>

namespace rqfs::torrent {

// The blocks of pieces in flight and who was asked for each: every request is a link in two chains, its block's and its
// peer's.
//
// Slots and flights are positions that are used again after close(); a request lives from ask() to drop(). All steps
// are O(1) but for the search for a free block. Pure; owned by PiecePicker.
class BlockTable {
public:
    using FlightId = std::uint32_t;
    using RequestId = std::uint32_t;
    using PeerSlot = std::uint32_t;
    static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

    struct Block {
        RequestId first = kNone;  // of those who were asked
        std::uint16_t asked = 0;
        std::uint16_t expected = 0;  // of them, those who are likely to answer soon
        bool here = false;
        bool free() const { return !here && expected == 0; }
    };
    struct Flight {
        PieceIndex piece;
        std::uint32_t here = 0;         // blocks that arrived
        std::uint32_t free = 0;         // blocks to be asked for
        std::uint32_t outstanding = 0;  // requests, copies included
        std::uint32_t hint = 0;         // no block below it is free
        PeerSlot owner = kNone;         // the peer that fetches the whole piece
        bool alone = false;             // and nobody else may help
        std::uint32_t listed = kNone;   // place in PiecePicker's list of begun pieces
        std::uint32_t used = kNone;     // place in in_use()
        TimePoint touched;              // a block was asked for or came
        std::vector<Block> blocks;
        bool complete() const { return here == blocks.size(); }
    };
    struct Request {
        BlockAddress block;
        FlightId flight = kNone;
        PeerSlot peer = kNone;
        RequestId next_of_block = kNone;
        RequestId previous_of_peer = kNone;
        RequestId next_of_peer = kNone;
        TimePoint sent;
        std::uint32_t ahead = 0;  // requests before it in the peer's queue, as of number()
        bool expected = true;
    };
    struct Queue {  // of one peer, oldest first
        RequestId first = kNone;
        RequestId last = kNone;
        std::uint32_t size = 0;
        std::uint32_t expected = 0;
    };

    FlightId open(PieceIndex piece, std::uint32_t blocks);
    void close(FlightId flight);  // nothing is outstanding

    Flight& flight(FlightId id) { return flights_[id]; }
    Flight const& flight(FlightId id) const { return flights_[id]; }
    Request const& request(RequestId id) const { return requests_[id]; }
    Queue const& queue(PeerSlot peer) const;
    std::vector<FlightId> const& in_use() const { return in_use_; }  // in no order
    std::uint32_t blocks_in_flight() const { return blocks_in_flight_; }

    RequestId ask(FlightId flight, BlockIndex block, PeerSlot peer, TimePoint now);
    void drop(RequestId request);
    // Nobody counts on it any more, though it may still be answered.
    void doubt(RequestId request);
    void arrived(FlightId flight, BlockIndex block);
    RequestId find(FlightId flight, BlockIndex block, PeerSlot peer) const;

    // The first free block at or after the hint for which `suits` holds; nobody's when there is none.
    template <class Suits>
    std::uint32_t find_free(FlightId id, Suits suits) {
        Flight& flight = flights_[id];
        auto const size = static_cast<std::uint32_t>(flight.blocks.size());
        while (flight.hint < size && !flight.blocks[flight.hint].free()) ++flight.hint;
        for (std::uint32_t b = flight.hint; b < size; ++b)
            if (flight.blocks[b].free() && suits(BlockIndex(b))) return b;
        return kNone;
    }
    // Writes `ahead` of all requests of a peer.
    void number(PeerSlot peer);

private:
    void made_free(Flight& flight, BlockIndex block);
    void unlink_from_block(RequestId id);
    void unlink_from_peer(RequestId id);

    std::vector<Flight> flights_;
    std::vector<FlightId> spare_flights_;
    std::vector<FlightId> in_use_;
    std::vector<Request> requests_;
    std::vector<RequestId> spare_requests_;
    std::vector<Queue> queues_;
    std::uint32_t blocks_in_flight_ = 0;
};

}  // namespace rqfs::torrent
