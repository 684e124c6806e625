#include "torrent/swarm/piece_picker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace rqfs::torrent {
namespace {

using Order = PiecePicker::Order;
using std::chrono::milliseconds;

// Random events for a picker, and beside it the plainest possible record of what must be true.
class RandomSwarm {
public:
    explicit RandomSwarm(std::uint64_t seed)
        : random_(seed),
          layout_(40ull * 4 * kBlockBytes - 20000, 4 * kBlockBytes),
          picker_(layout_, Bitfield(layout_.pieces()), seed) {}

    void step() {
        now_ += milliseconds(pick(10) == 0 ? pick(3000) : pick(40));
        switch (pick(16)) {
            case 0: join(); break;
            case 1:
                if (pick(4) == 0) leave();
                break;
            case 2: have(); break;
            case 3: lose(); break;
            case 4:
            case 5: choke(); break;
            case 6: wish(); break;
            case 7:
                if (pick(4) == 0) want();
                break;
            case 8: reject(); break;
            case 9: verify(); break;
            case 10: misc(); break;
            default:
                for (std::uint32_t i = pick(6); i > 0; --i) arrive();
                break;
        }
        check();
        plan();
        check();
    }

    void end() {
        picker_.hold(false);
        while (!peers_.empty()) leave();
        for (PieceIndex const piece : picker_.in_flight()) EXPECT_TRUE(has_data(piece)) << piece.value();
        for (auto const& [reader, wishes] : wishes_) picker_.drop_reader(reader, now_);
        picker_.set_wanted(Bitfield(layout_.pieces()));
        now_ += std::chrono::seconds(60);
        EXPECT_TRUE(picker_.plan(now_).empty());
        EXPECT_EQ(picker_.unwanted_pieces(), picker_.in_flight());
        for (PieceIndex const piece : picker_.unwanted_pieces()) picker_.piece_abandoned(piece);
        EXPECT_TRUE(picker_.in_flight().empty());
        EXPECT_TRUE(picker_.plan(now_).empty());
        EXPECT_FALSE(picker_.next_plan(now_).has_value());
        for (std::uint32_t i = 0; i < layout_.pieces(); ++i) EXPECT_EQ(picker_.availability(PieceIndex(i)), 0u);
    }

    std::uint64_t requested = 0;
    std::uint64_t verified = 0;

private:
    struct Peer {
        bool fast = false;
        bool choked = true;
        std::uint32_t limit = 0;
        Bitfield pieces;
        std::set<PieceIndex> allowed;
        std::vector<BlockAddress> asked;
        std::vector<BlockAddress> cancelled;
    };

    std::uint32_t pick(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }
    PieceIndex any_piece() { return PieceIndex(pick(layout_.pieces())); }
    std::map<PeerHandle, Peer>::iterator any_peer() {
        return std::next(peers_.begin(), pick(static_cast<std::uint32_t>(peers_.size())));
    }
    bool has_data(PieceIndex piece) {
        return std::ranges::any_of(here_, [&](BlockAddress const& block) { return block.piece == piece; });
    }
    bool wanted(PieceIndex piece) {
        if (wanted_.size() > 0 && wanted_.test(piece)) return true;
        for (auto const& [reader, wishes] : wishes_)
            if (std::ranges::any_of(wishes, [&](Wish const& w) { return w.piece == piece; })) return true;
        return false;
    }

    void join() {
        if (peers_.size() > 8) return;
        PeerHandle const handle(next_peer_++);
        Peer peer;
        peer.fast = pick(2) == 0;
        peer.limit = 1 + pick(30);
        peer.pieces = Bitfield(layout_.pieces());
        picker_.peer_joined(handle, {.fast = peer.fast, .max_requests = peer.limit}, now_);
        if (pick(3) == 0) {
            peer.pieces = Bitfield(layout_.pieces(), true);
            picker_.peer_has_all(handle);
        } else {
            for (std::uint32_t i = 0; i < layout_.pieces(); ++i)
                if (pick(2) == 0) peer.pieces.set(PieceIndex(i));
            picker_.peer_has(handle, peer.pieces);
        }
        peers_.emplace(handle, peer);
    }

    void leave() {
        if (peers_.empty()) return;
        auto const peer = any_peer();
        picker_.peer_left(peer->first, now_);
        peers_.erase(peer);
    }

    void have() {
        if (peers_.empty()) return;
        auto const peer = any_peer();
        PieceIndex const piece = any_piece();
        peer->second.pieces.set(piece);
        picker_.peer_has(peer->first, piece);
    }

    void lose() {
        if (peers_.empty()) return;
        auto const peer = any_peer();
        PieceIndex const piece = any_piece();
        peer->second.pieces.clear(piece);
        picker_.peer_lost(peer->first, piece, now_);
    }

    void choke() {
        if (peers_.empty()) return;
        auto const peer = any_peer();
        peer->second.choked = pick(3) == 0;
        picker_.peer_chokes(peer->first, peer->second.choked, now_);
        if (!peer->second.choked || peer->second.fast) return;
        auto& asked = peer->second.asked;
        peer->second.cancelled.insert(peer->second.cancelled.end(), asked.begin(), asked.end());
        asked.clear();
    }

    void wish() {
        ReaderId const reader(pick(3));
        std::vector<Wish> wishes;
        PieceIndex piece = any_piece();
        auto const urgency = static_cast<Urgency>(pick(5));
        for (std::uint32_t i = pick(8); i > 0 && piece.value() < layout_.pieces(); --i, ++piece)
            if (!picker_.have().test(piece)) wishes.push_back({piece, now_ + milliseconds(pick(9000)), urgency});
        wishes_[reader] = wishes;
        picker_.set_wishes(reader, wishes, now_);
    }

    void want() {
        wanted_ = Bitfield(layout_.pieces());
        if (pick(2) == 0)
            for (std::uint32_t i = 0; i < layout_.pieces(); ++i)
                if (pick(3) > 0) wanted_.set(PieceIndex(i));
        picker_.set_wanted(wanted_);
    }

    void reject() {
        if (peers_.empty()) return;
        auto const peer = any_peer();
        if (!peer->second.fast || peer->second.asked.empty()) return;
        BlockAddress const block = peer->second.asked[pick(static_cast<std::uint32_t>(peer->second.asked.size()))];
        // What was cancelled before is answered before.
        if (std::ranges::count(peer->second.cancelled, block) > 0) return;
        std::erase(peer->second.asked, block);
        if (peer->second.choked) peer->second.allowed.erase(block.piece);
        picker_.block_rejected(peer->first, block, now_);
    }

    void arrive() {
        if (peers_.empty()) return;
        auto const peer = any_peer();
        bool const late = pick(8) == 0 && !peer->second.cancelled.empty();
        auto& from = late ? peer->second.cancelled : peer->second.asked;
        if (from.empty()) return;
        BlockAddress const block = from[pick(3) > 0 ? 0 : pick(static_cast<std::uint32_t>(from.size()))];
        bool const asked = std::ranges::count(peer->second.asked, block) > 0;
        if (asked && !late && picker_.second_try(block, peer->first) && pick(3) == 0) {
            picker_.block_disputed(peer->first, block, now_);
            std::erase(peer->second.asked, block);
            return;
        }
        bool const missing =
            !here_.contains(block) && !complete_.contains(block.piece) && !picker_.have().test(block.piece);
        auto const arrival = picker_.block_arrived(peer->first, block, now_);
        if (asked && missing) {
            EXPECT_EQ(arrival, PiecePicker::Arrival::wanted);
        }
        std::erase(asked ? peer->second.asked : peer->second.cancelled, block);
        if (arrival != PiecePicker::Arrival::wanted) return;
        EXPECT_TRUE(missing);
        here_.insert(block);
        std::uint32_t blocks = 0;
        for (BlockAddress const& other : here_) blocks += other.piece == block.piece ? 1u : 0u;
        if (blocks == layout_.blocks(block.piece)) complete_.insert(block.piece);
    }

    void verify() {
        if (complete_.empty()) return;
        PieceIndex const piece = *complete_.begin();
        complete_.erase(complete_.begin());
        std::erase_if(here_, [&](BlockAddress const& block) { return block.piece == piece; });
        if (pick(8) == 0) return fail(piece);
        ++verified;
        picker_.piece_verified(piece);
        for (auto& [reader, wishes] : wishes_) std::erase_if(wishes, [&](Wish const& w) { return w.piece == piece; });
    }

    // Whoever sent it.
    void fail(PieceIndex piece) {
        std::vector<PeerHandle> senders;
        for (std::uint32_t b = 0; b < layout_.blocks(piece); ++b)
            senders.push_back(peers_.empty() ? PeerHandle(1) : any_peer()->first);
        picker_.piece_failed(piece, senders, now_);
    }

    void misc() {
        switch (pick(5)) {
            case 0:
                held_ = pick(3) == 0;
                picker_.hold(held_);
                break;
            case 1:
                if (PieceIndex const piece = any_piece(); picker_.have().test(piece)) picker_.piece_lost(piece);
                break;
            case 2:
                if (!peers_.empty()) picker_.peer_parole(any_peer()->first, pick(2) == 0);
                break;
            case 3:
                for (PieceIndex const piece : picker_.unwanted_pieces()) {
                    EXPECT_FALSE(wanted(piece));
                    std::erase_if(here_, [&](BlockAddress const& block) { return block.piece == piece; });
                    picker_.piece_abandoned(piece);
                }
                break;
            default:
                if (peers_.empty()) break;
                auto const peer = any_peer();
                if (!peer->second.fast) break;
                PieceIndex const piece = any_piece();
                peer->second.allowed.insert(piece);
                picker_.peer_allows(peer->first, piece);
        }
    }

    void plan() {
        for (Order const& order : picker_.plan(now_)) {
            ASSERT_TRUE(peers_.contains(order.peer));
            Peer& peer = peers_.at(order.peer);
            if (order.kind == Order::Kind::cancel) {
                // A cancel may cross the end of the piece; the peer is told once.
                std::erase(peer.asked, order.block);
                peer.cancelled.push_back(order.block);
                continue;
            }
            ++requested;
            EXPECT_FALSE(held_);
            EXPECT_EQ(std::ranges::count(peer.asked, order.block), 0);
            EXPECT_TRUE(peer.pieces.test(order.block.piece));
            EXPECT_TRUE(!peer.choked || peer.allowed.contains(order.block.piece));
            EXPECT_FALSE(here_.contains(order.block));
            EXPECT_FALSE(complete_.contains(order.block.piece));
            EXPECT_FALSE(picker_.have().test(order.block.piece));
            EXPECT_TRUE(wanted(order.block.piece));
            peer.asked.push_back(order.block);
            EXPECT_LE(copies(order.block), 9u);
        }
        if (auto const next = picker_.next_plan(now_)) {
            EXPECT_GT(*next, now_);
        }
    }

    std::size_t copies(BlockAddress block) {
        std::size_t count = 0;
        for (auto const& [handle, peer] : peers_)
            count += static_cast<std::size_t>(std::ranges::count(peer.asked, block));
        return count;
    }

    void check() {
        for (std::uint32_t i = 0; i < layout_.pieces(); ++i) {
            std::uint32_t sum = 0;
            for (auto const& [handle, peer] : peers_) sum += peer.pieces.test(PieceIndex(i)) ? 1u : 0u;
            ASSERT_EQ(picker_.availability(PieceIndex(i)), sum);
            ASSERT_EQ(picker_.wanted_anywhere(PieceIndex(i)),
                      wanted(PieceIndex(i)) && !picker_.have().test(PieceIndex(i)));
        }
        for (auto const& [handle, peer] : peers_) {
            bool interesting = false;
            for (std::uint32_t i = 0; i < layout_.pieces(); ++i)
                interesting = interesting || (peer.pieces.test(PieceIndex(i)) && wanted(PieceIndex(i)) &&
                                              !picker_.have().test(PieceIndex(i)));
            ASSERT_EQ(picker_.interesting(handle), interesting);
            ASSERT_LE(picker_.requests_in_flight(handle), std::min(peer.limit, 500u));
        }
    }

    std::mt19937_64 random_;
    PieceLayout layout_;
    PiecePicker picker_;
    TimePoint now_{std::chrono::hours(1)};
    std::uint32_t next_peer_ = 1;
    std::map<PeerHandle, Peer> peers_;
    std::map<ReaderId, std::vector<Wish>> wishes_;
    Bitfield wanted_;
    std::set<BlockAddress> here_;
    std::set<PieceIndex> complete_;
    bool held_ = false;
};

class PiecePickerProperty : public testing::TestWithParam<std::uint64_t> {};

TEST_P(PiecePickerProperty, KeepsItsRulesWhateverHappens) {
    RandomSwarm swarm(GetParam());

    for (int i = 0; i < 3000 && !testing::Test::HasFailure(); ++i) {
        SCOPED_TRACE(testing::Message() << "seed " << GetParam() << " step " << i);
        swarm.step();
    }
    swarm.end();

    EXPECT_GT(swarm.requested, 100u);
    EXPECT_GT(swarm.verified, 5u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PiecePickerProperty, testing::Range<std::uint64_t>(1, 13));

}  // namespace
}  // namespace rqfs::torrent
