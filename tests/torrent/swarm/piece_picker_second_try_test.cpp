#include "tests/torrent/swarm/picker_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace rqfs::torrent {
namespace {

// A piece that a reader waits for is fetched, and fails its hash.
class SecondTryTest : public PickerFixture {
protected:
    static constexpr std::uint32_t kPiece = 2;
    static constexpr std::uint32_t kBlocks = 8;

    void SetUp() override {
        make(16, kBlocks);
        for (int i = 0; i < 3; ++i) peers.push_back(seed_peer());
        wishes({wish(kPiece, 0, Urgency::blocked_player)});
    }

    // Everybody answers in turn until the piece is complete; returns who sent which block.
    std::vector<PeerHandle> fetch() {
        std::vector<PeerHandle> senders(kBlocks);
        for (int i = 0; i < 200 && !complete(); ++i) {
            plan();
            pass(milliseconds(10));
            for (PeerHandle const peer : peers) {
                if (asked[peer].empty()) continue;
                BlockAddress const next = asked[peer].front();
                if (arrive_next(peer) == Arrival::wanted) senders[next.block.value()] = peer;
            }
        }
        EXPECT_TRUE(complete());
        return senders;
    }
    bool complete() const { return picker->in_flight().empty() && !asked_anything(); }
    bool asked_anything() const {
        for (auto const& [peer, blocks] : asked)
            if (!blocks.empty()) return true;
        return !started_;
    }
    std::vector<Order> plan() {
        started_ = true;
        return PickerFixture::plan();
    }
    std::vector<PeerHandle> fail() {
        auto const senders = fetch();
        picker->piece_failed(PieceIndex(kPiece), senders, now);
        started_ = false;
        return senders;
    }

    std::vector<PeerHandle> peers;

private:
    bool started_ = false;
};

TEST_F(SecondTryTest, AsksSomebodyElseForEveryBlock) {
    auto const first = fail();

    auto const second = fetch();

    ASSERT_GT(std::set(first.begin(), first.end()).size(), 1u);
    for (std::uint32_t b = 0; b < kBlocks; ++b) EXPECT_NE(first[b], second[b]) << "block " << b;
}

TEST_F(SecondTryTest, EverybodyOnParoleHelps) {
    fail();
    for (PeerHandle const peer : peers) picker->peer_parole(peer, true);

    auto const second = fetch();

    EXPECT_GT(std::set(second.begin(), second.end()).size(), 1u);
}

TEST_F(SecondTryTest, ThoseOnParoleGetNothingElseThatOthersHave) {
    fail();
    picker->peer_parole(peers[0], true);
    picker->peer_parole(peers[1], true);

    wishes({wish(kPiece, 0, Urgency::blocked_player), wish(5, 0.5)});
    plan();

    for (int suspect : {0, 1})
        for (std::uint32_t const piece : pieces_of(asked[peers[static_cast<std::size_t>(suspect)]])) EXPECT_EQ(piece, kPiece);
    EXPECT_TRUE(pieces_of(asked[peers[2]]).contains(kPiece));
}

TEST_F(SecondTryTest, OfOnePeerAloneThereIsNobodyElseToAsk) {
    auto const first = fail();
    for (PeerHandle const peer : {peers[1], peers[2]}) picker->peer_left(peer, now);
    peers.resize(1);

    auto const second = fetch();

    EXPECT_EQ(second, std::vector<PeerHandle>(kBlocks, peers[0]));
}

TEST_F(SecondTryTest, AThirdTryIsForThoseWhoAreNotOnParoleOrForOneAlone) {
    fail();
    fail();
    for (PeerHandle const peer : peers) picker->peer_parole(peer, true);

    plan();

    std::size_t busy = 0;
    for (PeerHandle const peer : peers) busy += asked[peer].empty() ? 0u : 1u;
    EXPECT_EQ(busy, 1u);
}

TEST_F(SecondTryTest, ADisputedBlockIsAskedOfAThirdPeer) {
    auto const first = fail();
    plan();
    PeerHandle second = peers[0];
    for (PeerHandle const peer : peers)
        if (!asked[peer].empty()) second = peer;
    BlockAddress const block = asked[second].front();
    ASSERT_TRUE(picker->second_try(block, second));

    asked[second].pop_front();
    picker->block_disputed(second, block, now);
    auto const third = fetch();

    PeerHandle const taken = third[block.block.value()];
    EXPECT_NE(taken, second);
    EXPECT_NE(taken, first[block.block.value()]);
}

TEST_F(SecondTryTest, OnlyWhatWasAskedThenIsPartOfIt) {
    plan();
    BlockAddress const early = asked[peers[0]].empty() ? asked[peers[1]].front() : asked[peers[0]].front();
    for (PeerHandle const peer : peers) EXPECT_FALSE(picker->second_try(early, peer)) << "the first try";
    fail();
    plan();

    for (PeerHandle const peer : peers)
        for (std::uint32_t b = 0; b < kBlocks; ++b)
            EXPECT_EQ(picker->second_try(block(kPiece, b), peer), std::ranges::count(asked[peer], block(kPiece, b)) > 0);
}

}  // namespace
}  // namespace rqfs::torrent
