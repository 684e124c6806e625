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

    void SetUp() override { begin(3); }

    void begin(std::size_t count) {
        make(16, kBlocks);
        peers.clear();
        for (std::size_t i = 0; i < count; ++i) peers.push_back(seed_peer());
        wishes({wish(kPiece, 0, Urgency::blocked_player)});
    }

    // Everybody answers in turn until the piece is complete; returns who sent which block.
    std::vector<PeerHandle> fetch() {
        started_ = false;
        std::vector<PeerHandle> senders(kBlocks);
        auto const nobody = [&] { return std::ranges::count(senders, PeerHandle()) > 0; };
        for (int i = 0; i < 200 && (nobody() || !complete()); ++i) {
            plan();
            pass(milliseconds(10));
            for (PeerHandle const peer : peers) {
                if (asked[peer].empty()) continue;
                BlockAddress const next = asked[peer].front();
                if (arrive_next(peer) == Arrival::wanted) senders[next.block.value()] = peer;
            }
        }
        EXPECT_TRUE(complete() && !nobody());
        return senders;
    }
    bool asked_all_of(PieceIndex piece) const {
        auto const flights = picker->in_flight();
        return started_ && !std::ranges::binary_search(flights, piece) && !asked_anything();
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
        return senders;
    }

    std::vector<PeerHandle> peers;

private:
    bool started_ = false;
};

TEST_F(SecondTryTest, AsksSomebodyElseForEveryBlock) {
    EXPECT_FALSE(picker->failed_before(PieceIndex(kPiece)));
    auto const first = fail();
    EXPECT_TRUE(picker->failed_before(PieceIndex(kPiece)));

    auto const second = fetch();
    picker->piece_verified(PieceIndex(kPiece));

    EXPECT_FALSE(picker->failed_before(PieceIndex(kPiece)));

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

// Whoever they are, and however many: when all have sent another one, all may be asked again.
TEST_F(SecondTryTest, ABlockThatEverybodyDisputesIsAskedAgain) {
    for (std::size_t count : {2u, 3u}) {
        begin(count);
        fail();
        std::set<PeerHandle> disputed;

        std::size_t asked_again = 0;
        for (int i = 0; i < 300; ++i) {
            plan();
            pass(milliseconds(20));
            for (PeerHandle const peer : peers) {
                if (asked[peer].empty()) continue;
                BlockAddress const next = asked[peer].front();
                if (next != block(kPiece, 0)) {
                    arrive_next(peer);
                    continue;
                }
                asked[peer].pop_front();
                picker->block_disputed(peer, next, now);
                asked_again += disputed.insert(peer).second ? 0u : 1u;
            }
        }

        EXPECT_EQ(disputed.size(), count);
        EXPECT_GT(asked_again, 0u) << count << " peers";
    }
}

// Many more pieces than a piece's time, so that both are known.
TEST_F(SecondTryTest, WhoIsMuchFasterThanAllOthersSendsItsBlocksAgain) {
    begin(2);
    make(200, kBlocks);
    peers = {seed_peer(), seed_peer()};
    std::map<PeerHandle, double> const rates{{peers[0], 1e6}, {peers[1], 20e3}};
    learn(rates);
    ASSERT_LT(picker->download_rate(peers[1], now), 50e3);
    PieceIndex piece(0);
    while (picker->have().test(piece)) ++piece;
    wishes({wish(piece.value(), 0, Urgency::blocked_player)});
    // The slow one sends the last block.
    for (int i = 0; i < 100 && !asked_all_of(piece); ++i) {
        plan();
        pass(milliseconds(10));
        for (PeerHandle const peer : peers)
            if (!asked[peer].empty()) arrive_next(peer);
    }
    std::vector<PeerHandle> senders(kBlocks, peers[0]);
    senders.back() = peers[1];
    picker->piece_failed(piece, senders, now);

    TimePoint const begun = now;
    while (!picker->have().test(piece) && now - begun < seconds(30)) run(milliseconds(100), rates);

    EXPECT_LT(now - begun, seconds(2));
}

// Who would be quicker may have sent the block already: that is no reason to wait for it.
TEST_F(SecondTryTest, ABlockIsAskedOfTheSlowerOneWhenTheQuickerHasSentIt) {
    begin(2);
    std::map<PeerHandle, double> const rates{{peers[0], 1e6}, {peers[1], 300e3}};
    fetch();
    picker->piece_failed(PieceIndex(kPiece), std::vector(kBlocks, peers[0]), now);

    TimePoint const begun = now;
    while (!picker->have().test(PieceIndex(kPiece)) && now - begun < seconds(30)) run(milliseconds(100), rates);

    EXPECT_LT(now - begun, seconds(2));
}

// Nobody reads: a second try of `download` does not wait for somebody off parole.
TEST_F(SecondTryTest, WithoutAReaderThoseOnParoleHelpToo) {
    wishes({});
    want({kPiece});
    auto const first = fail();
    picker->peer_parole(peers[0], true);
    picker->peer_parole(peers[1], true);
    picker->peer_left(peers[2], now);
    peers.pop_back();

    auto const second = fetch();

    for (std::uint32_t b = 0; b < kBlocks; ++b) EXPECT_NE(second[b], PeerHandle()) << "block " << b;
}

TEST_F(SecondTryTest, ALateAnswerOfAWithdrawnRequestIsPartOfItToo) {
    plan();
    PeerHandle asked_first = peers[0];
    for (PeerHandle const peer : peers)
        if (!asked[peer].empty()) asked_first = peer;
    BlockAddress const late = asked[asked_first].back();
    wishes({});
    plan();
    ASSERT_EQ(std::ranges::count(asked[asked_first], late), 0) << "it was withdrawn";
    wishes({wish(kPiece, 0, Urgency::blocked_player)});
    fail();

    ASSERT_TRUE(picker->second_try(late, asked_first));
    picker->block_disputed(asked_first, late, now);

    EXPECT_EQ(std::ranges::count(picker->in_flight(), late.piece), 0) << "a late block begins nothing when it is disputed";
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
