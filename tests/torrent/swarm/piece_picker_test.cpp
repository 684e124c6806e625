#include "tests/torrent/swarm/picker_fixture.h"

namespace rqfs::torrent {
namespace {

class PiecePickerTest : public PickerFixture {};

TEST_F(PiecePickerTest, AsksNothingWhenNobodyWantsAnything) {
    seed_peer();

    EXPECT_TRUE(plan().empty());
    EXPECT_FALSE(picker->next_plan(now).has_value());
}

TEST_F(PiecePickerTest, AsksNothingOfAPeerThatChokes) {
    PeerHandle const peer = choked_peer();
    picker->peer_has_all(peer);
    want_all();

    EXPECT_TRUE(plan().empty());
}

TEST_F(PiecePickerTest, AsksAnUnknownPeerForTwoBlocks) {
    PeerHandle const peer = seed_peer();
    want_all();

    plan();

    EXPECT_EQ(asked[peer].size(), 2u);
    EXPECT_EQ(picker->requests_in_flight(peer), 2u);
}

TEST_F(PiecePickerTest, NeverAsksMoreThanThePeerTakes) {
    PeerHandle const peer = seed_peer(true, 1);
    want_all();

    plan();

    EXPECT_EQ(asked[peer].size(), 1u);
}

TEST_F(PiecePickerTest, AsksNobodyForPaddingAndCountsItAsHere) {
    make(2, 4);
    std::vector<BlockAddress> const padding{{PieceIndex(0), BlockIndex(2)}, {PieceIndex(0), BlockIndex(3)}};
    picker->set_padding(padding);
    PeerHandle const peer = seed_peer(true, 500);
    want_all();

    for (int trip = 0; trip < 20; ++trip) {
        plan();
        for (auto const& block : asked[peer]) EXPECT_TRUE(block.piece != PieceIndex(0) || block.block.value() < 2);
        pass(milliseconds(1));
        for (auto count = asked[peer].size(); count > 0; --count) arrive_next(peer);
    }

    picker->piece_verified(PieceIndex(0));
    picker->piece_verified(PieceIndex(1));
    plan();
    EXPECT_TRUE(picker->in_flight().empty());
    EXPECT_EQ(picker->duplicate_bytes(), 0u);
}

TEST_F(PiecePickerTest, APieceWithNothingButItsPaddingHereIsMissingAgain) {
    make(1, 4);
    std::vector<BlockAddress> const padding{{PieceIndex(0), BlockIndex(3)}};
    picker->set_padding(padding);
    PeerHandle const peer = seed_peer();
    want_all();
    plan();
    ASSERT_FALSE(picker->in_flight().empty());

    picker->peer_left(peer, now);
    plan();

    EXPECT_TRUE(picker->in_flight().empty());
}

TEST_F(PiecePickerTest, FillsTheQueueOfAFastSeedWithinADozenRoundTrips) {
    make(2000, 16);
    PeerHandle const peer = seed_peer(true, 500);
    want_all();
    plan();

    for (int trip = 0; trip < 12; ++trip) {
        pass(milliseconds(1));
        for (auto count = asked[peer].size(); count > 0; --count) arrive_next(peer);
        plan();
    }

    EXPECT_EQ(asked[peer].size(), 500u);
}

TEST_F(PiecePickerTest, KeepsThreeSecondsOfRateQueuedWithoutReaders) {
    make(400, 16);
    PeerHandle const peer = seed_peer();
    want_all();
    plan();

    run(seconds(20), {{peer, 10.0 * kBlockBytes}});

    EXPECT_NEAR(static_cast<double>(asked[peer].size()), 31, 5);
}

TEST_F(PiecePickerTest, GivesTheSameOrdersForTheSameSeedAndOthersForAnother) {
    auto const orders = [this](std::uint64_t seed) {
        make(64, 4, seed);
        now = TimePoint(std::chrono::hours(1));
        PeerHandle const one = seed_peer(), other = seed_peer();
        want_all();
        plan();
        run(seconds(5), {{one, 1e5}, {other, 2e5}});
        return asked;
    };

    auto const first = orders(7);

    EXPECT_EQ(orders(7), first);
    EXPECT_NE(orders(8), first);
}

TEST_F(PiecePickerTest, FinishesABegunPieceBeforeItBeginsAnother) {
    PeerHandle const peer = seed_peer();
    want_all();
    plan();
    PieceIndex const begun = asked[peer].front().piece;

    for (int i = 0; i < 2; ++i) arrive_next(peer);
    auto const next = requests();

    ASSERT_GE(next.size(), 2u);
    EXPECT_EQ(next[0].block.piece, begun);
    EXPECT_EQ(next[1].block.piece, begun);
}

TEST_F(PiecePickerTest, FetchesTheRarestPieceOnceFourAreThere) {
    Bitfield have(16);
    for (std::uint32_t i = 0; i < 4; ++i) have.set(PieceIndex(i));
    picker = std::make_unique<PiecePicker>(layout, have, 1);
    want_all();
    choked_peer();
    for (int i = 0; i < 3; ++i) {
        PeerHandle const other = choked_peer();
        for (std::uint32_t piece = 0; piece < 16; ++piece)
            if (piece != 9) picker->peer_has(other, PieceIndex(piece));
    }
    PeerHandle const peer = peer_with({5, 9, 12});

    plan();

    EXPECT_EQ(pieces_of(asked[peer]), std::set<std::uint32_t>{9});
}

TEST_F(PiecePickerTest, BeginsWithRandomPieces) {
    std::set<std::uint32_t> first;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        make(64, 4, seed);
        PeerHandle const peer = seed_peer();
        want_all();
        plan();
        first.insert(asked[peer].front().piece.value());
    }

    EXPECT_GT(first.size(), 8u);
}

TEST_F(PiecePickerTest, FollowsASuggestionOfAWantedPiece) {
    PeerHandle const peer = seed_peer();
    want_all();
    picker->peer_suggests(peer, PieceIndex(11));

    plan();

    EXPECT_EQ(pieces_of(asked[peer]), std::set<std::uint32_t>{11});
}

TEST_F(PiecePickerTest, AsksForAllowedPiecesWhileChoked) {
    PeerHandle const peer = choked_peer();
    picker->peer_has_all(peer);
    picker->peer_allows(peer, PieceIndex(3));
    want_all();

    plan();

    EXPECT_EQ(pieces_of(asked[peer]), std::set<std::uint32_t>{3});
}

TEST_F(PiecePickerTest, DoesNotAskForAnAllowedPieceThatThePeerLacks) {
    PeerHandle const peer = choked_peer();
    picker->peer_allows(peer, PieceIndex(3));
    want_all();

    EXPECT_TRUE(plan().empty());
}

TEST_F(PiecePickerTest, ForgetsAnAllowanceThatWasRejected) {
    PeerHandle const peer = choked_peer();
    picker->peer_has_all(peer);
    picker->peer_allows(peer, PieceIndex(3));
    want_all();
    plan();

    picker->block_rejected(peer, asked[peer].front(), now);
    pass(seconds(2));

    EXPECT_TRUE(requests().empty());
}

TEST_F(PiecePickerTest, TakesBlocksThatAChokeDropsFromOthersAtOnce) {
    PeerHandle const plain = seed_peer(false);
    want({2});
    plan();
    auto const dropped = asked[plain];

    picker->peer_chokes(plain, true, now);
    PeerHandle const other = seed_peer();
    plan();

    EXPECT_EQ(picker->requests_in_flight(plain), 0u);
    EXPECT_EQ(asked[other], dropped);
}

TEST_F(PiecePickerTest, KeepsRequestsOfAFastPeerThatChokesButAsksOthersToo) {
    PeerHandle const fast = seed_peer(true);
    want({2});
    plan();
    auto const doubtful = asked[fast];

    picker->peer_chokes(fast, true, now);
    PeerHandle const other = seed_peer();
    plan();

    EXPECT_EQ(picker->requests_in_flight(fast), 2u);
    EXPECT_EQ(asked[other], doubtful);
    picker->block_rejected(fast, doubtful[0], now);
    EXPECT_EQ(picker->requests_in_flight(fast), 1u);
}

TEST_F(PiecePickerTest, AsksNotAgainForASecondAfterAReject) {
    PeerHandle const peer = seed_peer();
    want({2});
    plan();
    BlockAddress const rejected = asked[peer].front();

    picker->block_rejected(peer, rejected, now);
    std::erase(asked[peer], rejected);
    for (Order const& order : plan()) EXPECT_NE(order.block, rejected);
    pass(milliseconds(999));
    for (Order const& order : plan()) EXPECT_NE(order.block, rejected);
    pass(milliseconds(2));
    while (asked[peer].size() > 1) arrive_next(peer);
    auto const again = requests();

    EXPECT_TRUE(std::ranges::any_of(again, [&](Order const& order) { return order.block == rejected; }));
}

TEST_F(PiecePickerTest, GivesARejectedBlockToAnotherPeerAtOnce) {
    PeerHandle const peer = seed_peer();
    want({2});
    plan();
    BlockAddress const rejected = asked[peer].front();
    PeerHandle const other = seed_peer();

    picker->block_rejected(peer, rejected, now);
    plan();

    EXPECT_EQ(asked[other].front(), rejected);
}

TEST_F(PiecePickerTest, AsksNobodyForACompletePiece) {
    PeerHandle const peer = seed_peer();
    want({2});
    plan();
    while (!asked[peer].empty()) {
        arrive_next(peer);
        plan();
    }
    PeerHandle const other = seed_peer();

    EXPECT_TRUE(plan().empty());
    EXPECT_TRUE(asked[other].empty());
    EXPECT_TRUE(picker->in_flight().empty());
    EXPECT_TRUE(picker->interesting(peer));
}

TEST_F(PiecePickerTest, FetchesAFailedPieceAgainAndAVerifiedOneNot) {
    PeerHandle const peer = seed_peer();
    want({2});
    auto const fetch = [&] {
        plan();
        while (!asked[peer].empty()) {
            arrive_next(peer);
            plan();
        }
    };
    fetch();

    picker->piece_failed(PieceIndex(2), std::vector(4, peer), now);
    EXPECT_FALSE(plan().empty());
    fetch();
    picker->piece_verified(PieceIndex(2));

    EXPECT_TRUE(plan().empty());
    EXPECT_TRUE(picker->have().test(PieceIndex(2)));
    EXPECT_FALSE(picker->interesting(peer));
}

TEST_F(PiecePickerTest, FetchesAPieceThatTheStoreLost) {
    PeerHandle const peer = seed_peer();
    picker->piece_verified(PieceIndex(2));
    want({2});
    EXPECT_TRUE(plan().empty());

    picker->piece_lost(PieceIndex(2));
    plan();

    EXPECT_EQ(pieces_of(asked[peer]), std::set<std::uint32_t>{2});
}

TEST_F(PiecePickerTest, CancelsWhatACheckFound) {
    PeerHandle const peer = seed_peer();
    want({2});
    plan();

    picker->piece_verified(PieceIndex(2));

    EXPECT_EQ(cancels().size(), 2u);
    EXPECT_EQ(picker->requests_in_flight(peer), 0u);
}

TEST_F(PiecePickerTest, HasInterestExactlyWhenAPeerHasWhatSomebodyMisses) {
    PeerHandle const peer = peer_with({2, 3});
    EXPECT_FALSE(picker->interesting(peer));

    want({4});
    EXPECT_FALSE(picker->interesting(peer));
    wishes({wish(3, 5)});
    EXPECT_TRUE(picker->interesting(peer));
    picker->piece_verified(PieceIndex(3));
    EXPECT_FALSE(picker->interesting(peer));
    picker->peer_has(peer, PieceIndex(4));
    EXPECT_TRUE(picker->interesting(peer));
    picker->peer_lost(peer, PieceIndex(4), now);
    EXPECT_FALSE(picker->interesting(peer));
}

TEST_F(PiecePickerTest, AsksNothingNewOnHold) {
    PeerHandle const peer = seed_peer();
    want_all();
    plan();
    picker->hold(true);

    EXPECT_EQ(arrive_next(peer), Arrival::wanted);
    EXPECT_TRUE(requests().empty());
    picker->hold(false);

    EXPECT_FALSE(requests().empty());
}

TEST_F(PiecePickerTest, CountsWhoHasAPiece) {
    PeerHandle const seed = seed_peer();
    PeerHandle const some = peer_with({1, 2});

    EXPECT_EQ(picker->availability(PieceIndex(1)), 2u);
    EXPECT_EQ(picker->availability(PieceIndex(3)), 1u);
    picker->peer_lost(seed, PieceIndex(1), now);
    EXPECT_EQ(picker->availability(PieceIndex(1)), 1u);
    EXPECT_EQ(picker->availability(PieceIndex(3)), 1u);
    picker->peer_left(some, now);
    EXPECT_EQ(picker->availability(PieceIndex(1)), 0u);
}

TEST_F(PiecePickerTest, CancelsOnlyThePieceThatAPeerLost) {
    PeerHandle const peer = seed_peer();
    want({2, 3});
    plan();
    PieceIndex const lost = asked[peer].front().piece;

    picker->peer_lost(peer, lost, now);
    auto const cancelled = cancels();

    EXPECT_EQ(cancelled.size(), 2u);
    for (Order const& order : cancelled) EXPECT_EQ(order.block.piece, lost);
}

TEST_F(PiecePickerTest, FreesWhatWasAskedOfAPeerThatLeft) {
    PeerHandle const peer = seed_peer();
    want({2});
    plan();
    auto const freed = asked[peer];

    picker->peer_left(peer, now);
    PeerHandle const other = seed_peer();
    plan();

    EXPECT_EQ(asked[other], freed);
}

TEST_F(PiecePickerTest, LetsAPeerOnParoleFetchOneWholePieceAlone) {
    PeerHandle const suspect = seed_peer();
    picker->peer_parole(suspect, true);
    want_all();
    plan();
    PieceIndex const alone = asked[suspect].front().piece;
    PeerHandle const other = seed_peer();

    std::set<std::uint32_t> of_other;
    for (int i = 0; i < 30 && picker->in_flight().size() > 0; ++i) {
        plan();
        for (std::uint32_t const piece : pieces_of(asked[other])) of_other.insert(piece);
        EXPECT_EQ(pieces_of(asked[suspect]), std::set<std::uint32_t>{alone.value()});
        pass(milliseconds(20));
        if (!asked[other].empty()) arrive_next(other);
        if (i % 5 == 0 && asked[suspect].size() > 1) arrive_next(suspect);
    }

    EXPECT_FALSE(of_other.contains(alone.value()));
    EXPECT_GT(of_other.size(), 2u);
}

TEST_F(PiecePickerTest, GivesAPeerOnParoleNothingUrgentThatOthersHave) {
    PeerHandle const suspect = seed_peer();
    picker->peer_parole(suspect, true);
    PeerHandle const other = seed_peer();
    wishes({wish(2, 0, Urgency::blocked_player)});

    plan();

    EXPECT_TRUE(asked[suspect].empty());
    EXPECT_FALSE(asked[other].empty());
}

TEST_F(PiecePickerTest, GivesThePeerOnParoleWhatNobodyElseHas) {
    PeerHandle const suspect = seed_peer();
    picker->peer_parole(suspect, true);
    wishes({wish(2, 0, Urgency::blocked_player)});

    plan();

    EXPECT_EQ(pieces_of(asked[suspect]), std::set<std::uint32_t>{2});
}

TEST_F(PiecePickerTest, AsksASecondPeerAtTheEndButNeverAThird) {
    make(40, 4);
    PeerHandle const slow = seed_peer(), quick = seed_peer(), third = seed_peer();
    want_all();
    plan();

    std::size_t most = 0;
    std::uint64_t copies = 0;
    for (int i = 0; i < 3000 && picker->have().count() < 40; ++i) {
        run(milliseconds(10), {{slow, 4e4}, {quick, 6e5}, {third, 6e5}});
        for (PieceIndex const piece : picker->in_flight())
            for (std::uint32_t b = 0; b < 4; ++b) {
                most = std::max(most, picker->asked({piece, BlockIndex(b)}, now).size());
                copies += picker->asked({piece, BlockIndex(b)}, now).size() > 1 ? 1u : 0u;
            }
    }

    EXPECT_EQ(picker->have().count(), 40u);
    EXPECT_GT(copies, 0u);
    EXPECT_EQ(most, 2u);
}

TEST_F(PiecePickerTest, CancelsTheOtherCopyWhenABlockArrives) {
    PeerHandle const fast = seed_peer();
    want({2});
    plan();
    BlockAddress const twice = asked[fast].front();
    picker->peer_chokes(fast, true, now);
    PeerHandle const other = seed_peer();
    plan();

    EXPECT_EQ(arrive(other, twice), Arrival::wanted);
    auto const cancelled = cancels();

    ASSERT_EQ(cancelled.size(), 1u);
    EXPECT_EQ(cancelled[0].peer, fast);
    EXPECT_EQ(cancelled[0].block, twice);
    EXPECT_EQ(arrive(fast, twice), Arrival::duplicate);
    EXPECT_EQ(picker->duplicate_bytes(), kBlockBytes);
}

TEST_F(PiecePickerTest, TakesALateBlockThatIsStillMissing) {
    PeerHandle const plain = seed_peer(false);
    want({2});
    plan();
    BlockAddress const late = asked[plain].front();
    picker->peer_chokes(plain, true, now);
    pass(seconds(30));

    EXPECT_EQ(arrive(plain, late), Arrival::wanted);
}

TEST_F(PiecePickerTest, ForgetsLateBlocksAfterAMinute) {
    PeerHandle const plain = seed_peer(false);
    want({2});
    plan();
    BlockAddress const late = asked[plain].front();
    picker->peer_chokes(plain, true, now);
    pass(seconds(61));

    EXPECT_EQ(arrive(plain, late), Arrival::unrequested);
}

TEST_F(PiecePickerTest, KnowsABlockThatNobodyAskedFor) {
    PeerHandle const peer = seed_peer();
    want({2});

    EXPECT_EQ(arrive(peer, block(2, 0)), Arrival::unrequested);
    EXPECT_EQ(picker->duplicate_bytes(), 0u);
}

TEST_F(PiecePickerTest, NamesPiecesThatNobodyWantsAnyMore) {
    PeerHandle const peer = seed_peer();
    want({2});
    plan();
    arrive_next(peer);

    want({});
    plan();
    EXPECT_TRUE(picker->unwanted_pieces().empty());  // a few last blocks are still expected
    while (!asked[peer].empty()) arrive_next(peer);
    EXPECT_TRUE(picker->unwanted_pieces().empty());  // they may be wanted again
    pass(seconds(60));
    plan();

    EXPECT_EQ(picker->unwanted_pieces(), std::vector{PieceIndex(2)});
    picker->piece_abandoned(PieceIndex(2));
    EXPECT_TRUE(picker->in_flight().empty());
}

TEST_F(PiecePickerTest, SaysWhoWasAskedForABlock) {
    PeerHandle const peer = seed_peer();
    want({2});
    TimePoint const when = now;
    plan();
    pass(milliseconds(50));

    auto const who = picker->asked(asked[peer].front(), now);

    ASSERT_EQ(who.size(), 1u);
    EXPECT_EQ(who[0].peer, peer);
    EXPECT_EQ(who[0].when, when);
    EXPECT_GT(who[0].expected, Duration::zero());
}

TEST_F(PiecePickerTest, IgnoresPeersThatItDoesNotKnow) {
    PeerHandle const stranger(77);

    picker->peer_left(stranger, now);
    picker->peer_chokes(stranger, false, now);
    picker->block_rejected(stranger, block(0, 0), now);

    EXPECT_EQ(picker->block_arrived(stranger, block(0, 0), now), Arrival::unrequested);
    EXPECT_FALSE(picker->interesting(stranger));
    EXPECT_EQ(picker->download_rate(stranger, now), 0);
}

}  // namespace
}  // namespace rqfs::torrent
