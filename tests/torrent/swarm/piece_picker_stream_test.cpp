#include "tests/torrent/swarm/picker_fixture.h"

namespace rqfs::torrent {
namespace {

class PiecePickerStream : public PickerFixture {
protected:
    std::uint32_t first_asked(PeerHandle peer) { return asked[peer].front().piece.value(); }
};

TEST_F(PiecePickerStream, GivesUrgentPiecesBeforeRareOnes) {
    PeerHandle const peer = seed_peer();
    want_all();
    wishes({wish(7, 1)});

    plan();

    EXPECT_EQ(pieces_of(asked[peer]), std::set<std::uint32_t>{7});
}

TEST_F(PiecePickerStream, GoesByDeadlineWithinAClass) {
    PeerHandle const peer = seed_peer();
    wishes({wish(3, 9), wish(11, 4)});

    plan();

    EXPECT_EQ(first_asked(peer), 11u);
}

TEST_F(PiecePickerStream, GoesByClassBeforeDeadline) {
    PeerHandle const peer = seed_peer();
    wishes({wish(3, 0, Urgency::copier), wish(4, 0, Urgency::blocked_copier), wish(11, 5, Urgency::player)});

    plan();

    EXPECT_EQ(first_asked(peer), 11u);
}

TEST_F(PiecePickerStream, TakesTheEarliestDeadlineAndBestClassOfAllReaders) {
    PeerHandle const peer = seed_peer();
    wishes({wish(3, 1, Urgency::player), wish(5, 2, Urgency::copier)}, ReaderId(1));
    wishes({wish(5, 9, Urgency::blocked_player)}, ReaderId(2));

    plan();

    EXPECT_EQ(first_asked(peer), 5u);
}

TEST_F(PiecePickerStream, ForgetsAWishWhosePieceArrived) {
    seed_peer();
    wishes({wish(3, 1)});

    picker->piece_verified(PieceIndex(3));
    EXPECT_TRUE(plan().empty());
    picker->piece_lost(PieceIndex(3));

    EXPECT_FALSE(picker->wanted_anywhere(PieceIndex(3)));
    EXPECT_TRUE(plan().empty());
}

TEST_F(PiecePickerStream, KeepsAThirdOfASecondQueuedWhileABlockIsUrgent) {
    make(2000, 16);
    PeerHandle const peer = seed_peer();
    double const rate = 40.0 * kBlockBytes;
    learn({{peer, rate}});
    std::vector<Wish> window;
    for (std::uint32_t i = missing(), end = i + 20; i < end; ++i) window.push_back(wish(i, 1 + 0.1 * i));
    window[0].deadline = now + seconds(1);
    wishes(window);

    plan();

    EXPECT_NEAR(static_cast<double>(asked[peer].size()), 14, 3);
}

TEST_F(PiecePickerStream, AsksTheQuickerPeerForTheUrgentBlocks) {
    make(400, 16);
    PeerHandle const slow = seed_peer(), quick = seed_peer();
    learn({{slow, 2e4}, {quick, 1e6}}, seconds(6));
    std::uint32_t const piece = missing();
    wishes({wish(piece, 0.2, Urgency::blocked_player)});

    plan();

    EXPECT_TRUE(asked[slow].empty());
    EXPECT_EQ(pieces_of(asked[quick]), std::set<std::uint32_t>{piece});
}

TEST_F(PiecePickerStream, GivesUnknownPeersTheFarBlocks) {
    make(400, 4);
    PeerHandle const known = seed_peer();
    learn({{known, 3e5}});
    PeerHandle const unknown = seed_peer();
    std::uint32_t const first = missing();
    std::vector<Wish> window;
    for (std::uint32_t i = 0; i < 100; ++i) window.push_back(wish(first + i, 0.2 * i));
    std::erase_if(window, [&](Wish const& w) { return picker->have().test(w.piece); });
    wishes(window);

    plan();

    EXPECT_EQ(pieces_of(asked[unknown]), std::set<std::uint32_t>{window.back().piece.value()});
    EXPECT_EQ(first_asked(known), first);
}

TEST_F(PiecePickerStream, AsksUnknownPeersForUrgentBlocksWhenThereIsNobodyElse) {
    PeerHandle const unknown = seed_peer();
    wishes({wish(3, 0, Urgency::blocked_player)});

    plan();

    EXPECT_EQ(asked[unknown].size(), 2u);
}

TEST_F(PiecePickerStream, AsksTwiceForABlockThatWillMissItsDeadline) {
    make(400, 16);
    PeerHandle const stalls = seed_peer(), helps = seed_peer();
    learn({{stalls, 5e5}, {helps, 5e5}});
    std::uint32_t const piece = missing();
    wishes({wish(piece, 0.3, Urgency::blocked_player)});
    plan();
    auto const held = asked[stalls];
    ASSERT_FALSE(held.empty());

    run(milliseconds(1500), {{helps, 5e5}});

    EXPECT_TRUE(picker->have().test(PieceIndex(piece)));
}

TEST_F(PiecePickerStream, HasNeverMoreThanThreeCopiesOfABlock) {
    make(400, 16);
    std::map<PeerHandle, double> rates;
    for (int i = 0; i < 30; ++i) rates[seed_peer()] = 3e5;
    learn(rates);
    std::uint32_t const piece = missing();
    wishes({wish(piece, 0, Urgency::blocked_player)});

    std::size_t most = 0;
    for (int i = 0; i < 24; ++i) {  // nobody answers, but nobody is given up yet
        plan();
        pass(milliseconds(20));
        for (std::uint32_t b = 0; b < 16; ++b) most = std::max(most, picker->asked(block(piece, b), now).size());
    }

    EXPECT_GT(most, 1u);
    EXPECT_LE(most, 3u);
}

TEST_F(PiecePickerStream, StopsHedgingWhenTheBudgetIsSpentAndNobodyIsBlocked) {
    make(4000, 16);
    std::map<PeerHandle, double> rates;
    for (int i = 0; i < 20; ++i) rates[seed_peer()] = 4e5;
    learn(rates);
    std::vector<Wish> window;
    for (std::uint32_t i = missing(); window.size() < 40; ++i)
        if (!picker->have().test(PieceIndex(i))) window.push_back(wish(i, 0.1));
    wishes(window);

    std::size_t copies = 0;
    for (int i = 0; i < 60; ++i) {
        plan();
        pass(milliseconds(20));
    }
    for (Wish const& w : window)
        for (std::uint32_t b = 0; b < 16; ++b) {
            auto const count = picker->asked({w.piece, BlockIndex(b)}, now).size();
            copies += count > 1 ? count - 1 : 0;
        }

    EXPECT_LE(copies, 64u);
}

TEST_F(PiecePickerStream, CancelsWhatASeekLeavesBehind) {
    make(400, 16);
    PeerHandle const peer = seed_peer();
    learn({{peer, 1e6}});
    std::uint32_t const before = missing();
    wishes({wish(before, 0, Urgency::blocked_player), wish(before + 1, 1)});
    plan();
    std::size_t const held = asked[peer].size();

    std::uint32_t const after = missing(before + 100);
    wishes({wish(after, 0, Urgency::blocked_player)});
    auto const orders = plan();

    std::size_t cancelled = 0;
    for (Order const& order : orders) cancelled += order.kind == Order::Kind::cancel ? 1u : 0u;
    EXPECT_GT(cancelled, held / 2);
    EXPECT_EQ(orders.back().kind, Order::Kind::request);
    EXPECT_EQ(orders.back().block.piece.value(), after);
}

TEST_F(PiecePickerStream, KeepsTheLastFourBlocksOfAPieceAfterASeek) {
    make(400, 5);
    PeerHandle const peer = seed_peer();
    learn({{peer, 5e5}});
    std::uint32_t const before = missing();
    wishes({wish(before, 0, Urgency::blocked_player)});
    plan();
    ASSERT_EQ(asked[peer].size(), 5u);
    arrive_next(peer);

    wishes({wish(missing(before + 100), 0, Urgency::blocked_player)});

    EXPECT_TRUE(cancels().empty());
}

TEST_F(PiecePickerStream, CancelsSmallPiecesOfWhichNothingIsHereToo) {
    make(400, 1);
    PeerHandle const peer = seed_peer();
    learn({{peer, 5e5}});
    std::uint32_t const before = missing();
    wishes({wish(before, 0), wish(before + 1, 0.1), wish(before + 2, 0.2), wish(before + 3, 0.3), wish(before + 4, 0.4)});
    plan();
    ASSERT_GE(asked[peer].size(), 3u);

    picker->drop_reader(ReaderId(1), now);

    EXPECT_FALSE(cancels().empty());
}

TEST_F(PiecePickerStream, KeepsBlocksThatArriveWithinARoundTripAfterASeek) {
    make(400, 16);
    PeerHandle const peer = seed_peer();
    learn({{peer, 1e5}});
    std::uint32_t const before = missing();
    wishes({wish(before, 5)});
    plan();
    BlockAddress const head = asked[peer].front();
    pass(picker->round_trip(peer));

    wishes({wish(missing(before + 100), 5)});

    auto const cancelled = cancels();
    EXPECT_FALSE(cancelled.empty());
    for (Order const& order : cancelled) EXPECT_NE(order.block, head) << "it was on its way";
}

// Seeds send what they have read into their send buffers, cancelled or not.
TEST_F(PiecePickerStream, CountsCancelledBlocksAsQueuedUntilThePeerRejectsThem) {
    make(400, 16);
    PeerHandle const busy = seed_peer(), free = seed_peer();
    learn({{busy, 4e5}, {free, 4e5}});
    picker->peer_chokes(free, true, now);
    std::uint32_t const before = missing(), after = missing(before + 100);
    wishes({wish(before, 0, Urgency::blocked_player)});
    plan();
    picker->peer_chokes(free, false, now);
    wishes({wish(after, 0, Urgency::blocked_player)});

    auto const orders = plan();

    std::map<PeerHandle, std::size_t> requested;
    for (Order const& order : orders)
        if (order.kind == Order::Kind::request) ++requested[order.peer];
    EXPECT_GT(requested[free], requested[busy] + 2);
}

TEST_F(PiecePickerStream, WantsWhatComesAfterACancelWhileItIsMissing) {
    make(400, 16);
    PeerHandle const plain = seed_peer(false);
    learn({{plain, 1e6}});
    std::uint32_t const before = missing();
    wishes({wish(before, 0, Urgency::blocked_player)});
    plan();
    wishes({});
    auto const cancelled = cancels();
    ASSERT_GE(cancelled.size(), 2u);

    EXPECT_EQ(arrive(plain, cancelled[0].block), Arrival::wanted);
    wishes({wish(before, 5)});
    EXPECT_EQ(arrive(plain, cancelled[1].block), Arrival::wanted);
    EXPECT_EQ(arrive(plain, cancelled[1].block), Arrival::unrequested);
}

TEST_F(PiecePickerStream, TakesARejectOfACancelledRequestForThatRequestAlone) {
    make(400, 16);
    PeerHandle const fast = seed_peer(true);
    learn({{fast, 1e6}});
    std::uint32_t const piece = missing();
    wishes({wish(piece, 5)});
    plan();
    wishes({});
    auto const cancelled = cancels();
    ASSERT_FALSE(cancelled.empty());
    wishes({wish(piece, 5)});
    plan();
    std::uint32_t const asked_again = picker->requests_in_flight(fast);

    picker->block_rejected(fast, cancelled.back().block, now);

    EXPECT_EQ(picker->requests_in_flight(fast), asked_again);
}

TEST_F(PiecePickerStream, CutsDeepBackgroundQueuesWhenAReaderComes) {
    make(2000, 16);
    PeerHandle const peer = seed_peer();
    want_all();
    plan();
    run(seconds(10), {{peer, 20.0 * kBlockBytes}});
    ASSERT_GT(asked[peer].size(), 45u);

    std::uint32_t const piece = missing(1000);
    wishes({wish(piece, 0, Urgency::blocked_player)});
    auto const cancelled = cancels();

    EXPECT_GT(cancelled.size(), 30u);
    EXPECT_LE(asked[peer].size(), 16u);
}

TEST_F(PiecePickerStream, LeavesCopiersAShareBesideAGreedyPlayer) {
    make(4000, 4);
    PeerHandle const peer = seed_peer();
    learn({{peer, 1e6}});
    std::vector<Wish> player, copier;
    for (std::uint32_t i = missing(); player.size() < 200; ++i)
        if (!picker->have().test(PieceIndex(i))) player.push_back(wish(i, 1));
    for (std::uint32_t i = missing(3000); copier.size() < 200; ++i)
        if (!picker->have().test(PieceIndex(i))) copier.push_back(wish(i, 0, Urgency::blocked_copier));
    wishes(player, ReaderId(1));
    wishes(copier, ReaderId(2));
    plan();

    run(seconds(8), {{peer, 1e6}});

    std::uint32_t of_player = 0, of_copier = 0;
    for (Wish const& w : player) of_player += picker->have().test(w.piece) ? 1u : 0u;
    for (Wish const& w : copier) of_copier += picker->have().test(w.piece) ? 1u : 0u;
    double const share = of_copier / static_cast<double>(of_player + of_copier);
    EXPECT_NEAR(share, 0.15, 0.04);
}

TEST_F(PiecePickerStream, LeavesACopierItsShareOfAPieceThatAPlayerWantsLater) {
    make(4000, 4);
    PeerHandle const peer = seed_peer();
    learn({{peer, 1e6}});
    std::uint32_t const common = missing(3000);
    std::vector<Wish> player{wish(common, 9)};
    for (std::uint32_t i = missing(); player.size() < 200; ++i)
        if (!picker->have().test(PieceIndex(i))) player.push_back(wish(i, 0, Urgency::blocked_player));
    wishes(player, ReaderId(1));
    wishes({wish(common, 0, Urgency::blocked_copier)}, ReaderId(2));
    plan();

    run(seconds(2), {{peer, 1e6}});

    EXPECT_TRUE(picker->have().test(PieceIndex(common)));
}

TEST_F(PiecePickerStream, KeepsATenthForRarestFirstWhereSeedsAreFew) {
    make(4000, 4);
    PeerHandle const peer = seed_peer();
    learn({{peer, 1e6}});
    std::vector<Wish> player;
    for (std::uint32_t i = missing(); player.size() < 300; ++i)
        if (!picker->have().test(PieceIndex(i))) player.push_back(wish(i, 1));
    want_all();
    wishes(player);
    std::uint32_t const before = picker->have().count();

    run(seconds(8), {{peer, 1e6}});

    std::uint32_t of_player = 0;
    for (Wish const& w : player) of_player += picker->have().test(w.piece) ? 1u : 0u;
    double const all = picker->have().count() - before;
    EXPECT_NEAR((all - of_player) / all, 0.10, 0.04);
}

TEST_F(PiecePickerStream, FetchesOnlyWhatIsWishedWhenNothingIsWanted) {
    make(400, 4);
    PeerHandle const peer = seed_peer();
    wishes({wish(3, 1), wish(4, 2)});
    plan();

    run(seconds(5), {{peer, 1e6}});

    EXPECT_EQ(picker->have().count(), 2u);
    EXPECT_TRUE(asked[peer].empty());
}

TEST_F(PiecePickerStream, PlansAgainSoonWhileAPlayerWaits) {
    seed_peer();
    wishes({wish(3, 1)});
    plan();

    auto const next = picker->next_plan(now);

    ASSERT_TRUE(next.has_value());
    EXPECT_LE(*next - now, milliseconds(20));
}

}  // namespace
}  // namespace rqfs::torrent
