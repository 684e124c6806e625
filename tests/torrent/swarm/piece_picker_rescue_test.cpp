#include "tests/torrent/swarm/picker_fixture.h"

namespace rqfs::torrent {
namespace {

class PiecePickerRescue : public PickerFixture {};

TEST_F(PiecePickerRescue, GivesTheOldestBlockOfASilentPeerToAnother) {
    make(400, 16);
    PeerHandle const silent = seed_peer(), other = seed_peer();
    want_all();
    plan();
    run(seconds(5), {{silent, 2e5}, {other, 2e5}});
    BlockAddress const oldest = asked[silent].front();

    run(seconds(4), {{other, 2e5}});

    EXPECT_TRUE(picker->have().test(oldest.piece) || picker->asked(oldest, now).size() != 1 ||
                picker->asked(oldest, now)[0].peer != silent);
}

TEST_F(PiecePickerRescue, AsksALatePeerForNothingNewUntilItAnswers) {
    make(400, 16);
    PeerHandle const silent = seed_peer();
    want_all();
    plan();
    run(seconds(5), {{silent, 2e5}});
    std::size_t const held = asked[silent].size();

    for (int i = 0; i < 100; ++i) {
        pass(milliseconds(20));
        EXPECT_TRUE(requests().empty());
    }
    EXPECT_EQ(picker->requests_in_flight(silent), held);
    while (asked[silent].size() > 2) arrive_next(silent);

    EXPECT_FALSE(requests().empty());
}

TEST_F(PiecePickerRescue, SnubsAfterTwentySilentSecondsAndLeavesOneRequest) {
    make(400, 16);
    PeerHandle const silent = seed_peer();
    want_all();
    plan();
    run(seconds(5), {{silent, 2e5}});
    EXPECT_FALSE(picker->snubbed(silent, now));

    for (int i = 0; i < 90; ++i) {
        pass(milliseconds(250));
        plan();
    }
    EXPECT_TRUE(picker->snubbed(silent, now));
    EXPECT_EQ(picker->requests_in_flight(silent), 1u);
    arrive_next(silent);

    EXPECT_FALSE(picker->snubbed(silent, now));
}

TEST_F(PiecePickerRescue, DoesNotCallAPeerSnubbedThatWasAskedNothing) {
    PeerHandle const peer = seed_peer();

    pass(seconds(100));
    plan();

    EXPECT_FALSE(picker->snubbed(peer, now));
}

TEST_F(PiecePickerRescue, GivesUpARequestAfterAMinute) {
    PeerHandle const silent = seed_peer();
    want_all();
    plan();

    for (int i = 0; i < 250; ++i) {
        pass(milliseconds(250));
        plan();
    }

    for (BlockAddress const block : asked[silent])
        for (auto const& asked_of : picker->asked(block, now)) EXPECT_LT(now - asked_of.when, seconds(60));
}

TEST_F(PiecePickerRescue, MovesUrgentBlocksAwayFromAPeerThatStopped) {
    make(400, 16);
    PeerHandle const stops = seed_peer(), other = seed_peer();
    learn({{stops, 3e5}, {other, 3e5}});
    std::uint32_t const piece = missing();
    wishes({wish(piece, 1, Urgency::blocked_copier)});
    plan();
    ASSERT_FALSE(asked[stops].empty());

    run(seconds(4), {{other, 3e5}});

    EXPECT_TRUE(picker->have().test(PieceIndex(piece)));
}

TEST_F(PiecePickerRescue, UsesTheOnlyPeerAgainWhenItComesBack) {
    make(40, 16);
    PeerHandle const peer = seed_peer();
    wishes({wish(3, 1, Urgency::blocked_player)});
    plan();
    run(seconds(1), {{peer, 2e5}});
    for (int i = 0; i < 400; ++i) {  // 100 s of silence
        pass(milliseconds(250));
        plan();
    }

    wishes({wish(3, 0, Urgency::blocked_player)});
    plan();
    run(seconds(10), {{peer, 2e5}});

    EXPECT_TRUE(picker->have().test(PieceIndex(3)));
}

TEST_F(PiecePickerRescue, FinishesThoughOnePeerRejectsEverything) {
    make(40, 4);
    PeerHandle const refuses = seed_peer(), honest = seed_peer();
    want_all();
    plan();

    for (int i = 0; i < 2000 && !picker->have().all(); ++i) {
        for (auto const list = asked[refuses]; BlockAddress const block : list)
            picker->block_rejected(refuses, block, now);
        asked[refuses].clear();
        run(milliseconds(20), {{honest, 5e5}});
    }

    EXPECT_TRUE(picker->have().all());
}

TEST_F(PiecePickerRescue, FinishesThoughAPeerChokesAfterEveryBlock) {
    make(40, 4);
    PeerHandle const flaps = seed_peer(false), honest = seed_peer();
    want_all();
    plan();

    for (int i = 0; i < 2000 && !picker->have().all(); ++i) {
        picker->peer_chokes(flaps, i % 2 == 0, now);
        if (i % 2 == 0) asked[flaps].clear();
        run(milliseconds(20), {{honest, 3e5}, {flaps, 1e6}});
    }

    EXPECT_TRUE(picker->have().all());
}

}  // namespace
}  // namespace rqfs::torrent
