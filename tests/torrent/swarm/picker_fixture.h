#pragma once

#include "torrent/metainfo/piece_layout.h"
#include "torrent/swarm/piece_picker.h"
#include "torrent/units.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace rqfs::torrent {

// A picker, made-up time, and peers that answer when they are told to.
class PickerFixture : public testing::Test {
protected:
    using Order = PiecePicker::Order;
    using Arrival = PiecePicker::Arrival;
    using milliseconds = std::chrono::milliseconds;
    using seconds = std::chrono::seconds;

    PickerFixture() { make(16, 4); }

    void make(std::uint32_t pieces, std::uint32_t blocks_per_piece, std::uint64_t seed = 1) {
        std::uint32_t const piece_bytes = blocks_per_piece * kBlockBytes;
        layout = PieceLayout(std::uint64_t{pieces} * piece_bytes, piece_bytes);
        picker = std::make_unique<PiecePicker>(layout, Bitfield(pieces), seed);
        asked.clear();
        owed.clear();
        next_peer = 1;
    }

    PeerHandle choked_peer(bool fast = true, std::uint32_t max_requests = 250) {
        PeerHandle const peer(next_peer++);
        picker->peer_joined(peer, {.fast = fast, .max_requests = max_requests}, now);
        return peer;
    }
    PeerHandle seed_peer(bool fast = true, std::uint32_t max_requests = 250) {
        PeerHandle const peer = choked_peer(fast, max_requests);
        picker->peer_has_all(peer);
        picker->peer_chokes(peer, false, now);
        return peer;
    }
    PeerHandle peer_with(std::initializer_list<std::uint32_t> pieces, bool fast = true) {
        PeerHandle const peer = choked_peer(fast);
        for (std::uint32_t const piece : pieces) picker->peer_has(peer, PieceIndex(piece));
        picker->peer_chokes(peer, false, now);
        return peer;
    }

    void want(std::initializer_list<std::uint32_t> pieces) {
        Bitfield wanted(layout.pieces());
        for (std::uint32_t const piece : pieces) wanted.set(PieceIndex(piece));
        picker->set_wanted(wanted);
    }
    void want_all() { picker->set_wanted(Bitfield(layout.pieces(), true)); }
    Wish wish(std::uint32_t piece, double in_seconds, Urgency urgency = Urgency::player) const {
        return {PieceIndex(piece),
                now + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(in_seconds)), urgency};
    }
    void wishes(std::vector<Wish> list, ReaderId reader = ReaderId(1)) {
        picker->set_wishes(reader, std::move(list), now);
    }

    std::vector<Order> plan() {
        std::vector<Order> orders = picker->plan(now);
        for (Order const& order : orders) {
            if (order.kind == Order::Kind::request)
                asked[order.peer].push_back(order.block);
            else
                std::erase(asked[order.peer], order.block);
        }
        return orders;
    }
    std::vector<Order> cancels() {
        std::vector<Order> orders = plan();
        std::erase_if(orders, [](Order const& order) { return order.kind == Order::Kind::request; });
        return orders;
    }
    std::vector<Order> requests() {
        std::vector<Order> orders = plan();
        std::erase_if(orders, [](Order const& order) { return order.kind == Order::Kind::cancel; });
        return orders;
    }
    static std::set<std::uint32_t> pieces_of(std::deque<BlockAddress> const& blocks) {
        std::set<std::uint32_t> pieces;
        for (BlockAddress const block : blocks) pieces.insert(block.piece.value());
        return pieces;
    }
    void pass(Duration duration) { now += duration; }

    static BlockAddress block(std::uint32_t piece, std::uint32_t number) {
        return {PieceIndex(piece), BlockIndex(number)};
    }
    Arrival arrive(PeerHandle peer, BlockAddress what) {
        std::erase(asked[peer], what);
        return picker->block_arrived(peer, what, now);
    }
    Arrival arrive_next(PeerHandle peer) { return arrive(peer, asked[peer].front()); }

    // Peers answer in order at their rates, in bytes a second; pieces are verified as they are complete.
    void run(Duration duration, std::map<PeerHandle, double> const& rates) {
        for (TimePoint const end = now + duration; now < end;) {
            pass(milliseconds(10));
            for (auto const& [peer, rate] : rates) {
                owed[peer] = asked[peer].empty() ? 0 : owed[peer] + rate / 100;
                for (; owed[peer] >= kBlockBytes && !asked[peer].empty(); owed[peer] -= kBlockBytes) {
                    BlockAddress const what = asked[peer].front();
                    arrive_next(peer);
                    auto const flights = picker->in_flight();
                    if (!std::ranges::binary_search(flights, what.piece) && !picker->have().test(what.piece))
                        picker->piece_verified(what.piece);
                }
            }
            plan();
        }
    }
    // Makes peers known at these rates with pieces from the end of the torrent; afterwards nothing is wanted and
    // nothing asked.
    void learn(std::map<PeerHandle, double> const& rates, Duration duration = seconds(4)) {
        want_all();
        plan();
        run(duration, rates);
        picker->set_wanted(Bitfield(layout.pieces()));
        for (Order const& order : cancels()) picker->block_rejected(order.peer, order.block, now);  // so nothing is owed
        for (auto const& [peer, rate] : rates)
            while (!asked[peer].empty()) {
                pass(std::chrono::microseconds(static_cast<std::int64_t>(1e6 * kBlockBytes / rate)));
                arrive_next(peer);
            }
        plan();
        for (PieceIndex const piece : picker->unwanted_pieces()) picker->piece_abandoned(piece);
    }
    // The first piece at or after `from` that is missing.
    std::uint32_t missing(std::uint32_t from = 0) const {
        while (picker->have().test(PieceIndex(from))) ++from;
        return from;
    }

    PieceLayout layout;
    std::unique_ptr<PiecePicker> picker;
    TimePoint now{std::chrono::hours(1)};
    std::uint32_t next_peer = 1;
    std::map<PeerHandle, std::deque<BlockAddress>> asked;
    std::map<PeerHandle, double> owed;  // bytes that a peer may still send
};

}  // namespace rqfs::torrent
