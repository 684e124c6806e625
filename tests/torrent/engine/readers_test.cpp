#include "tests/torrent/engine/readers_fixture.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::uint64_t kFar = 32 * kMiB;

class TheReaders : public ReadersFixture {
protected:
    static constexpr ByteRange kNear{0, kFar - kPieceBytes};

    // It has read on for a while, and what comes next is asked for.
    std::unique_ptr<Stream> open_and_read(std::uint64_t begin) {
        auto stream = open();
        read(*stream, {begin, begin + 2 * kMiB});
        EXPECT_GT(blocks_in(unanswered, {begin + 2 * kMiB, begin + 6 * kMiB}), 0u);
        return stream;
    }
};

TEST_F(TheReaders, ASeekIsAskedForInTheTurnOfTheLoopInWhichTheReadArrives) {
    auto const stream = open_and_read(0);
    ASSERT_TRUE(answer_until([&] { return unanswered.empty(); })) << "its window is here, and the peer is idle";
    forget_orders();

    start_read(*stream, kFar);
    one_turn();

    EXPECT_EQ(blocks_in(asked, {kFar, kFar + kReadBytes}), kPieceBytes / kBlockBytes);
}

TEST_F(TheReaders, WhatASeekLeavesIsTakenBackInTheSameTurnAndTheNewPlaceIsTheNextThatABusyPeerIsAskedFor) {
    auto const stream = open_and_read(0);
    forget_orders();

    start_read(*stream, kFar);
    one_turn();
    EXPECT_GT(blocks_in(taken_back, kNear), 0u);
    ASSERT_TRUE(answer_until([&] { return !asked.empty(); }));

    EXPECT_EQ(asked.front().piece, layout().piece_at(kFar));
}

TEST_F(TheReaders, AReadThatGoesOnTakesNothingBack) {
    auto const stream = open_and_read(0);
    forget_orders();

    start_read(*stream, 2 * kMiB);
    one_turn();

    EXPECT_TRUE(taken_back.empty());
}

TEST_F(TheReaders, OfAClosedFileWhatOnlyItWantedIsTakenBack) {
    auto closed = open_and_read(0);
    auto const other = open_and_read(kFar);
    start_read(*closed, 2 * kMiB);
    pass(400ms);
    ASSERT_GT(blocks_in(unanswered, kNear), 0u);
    auto const of_other = blocks_in(unanswered, {kFar, kFileBytes});
    ASSERT_GT(of_other, 0u);
    forget_orders();

    closed.reset();

    EXPECT_GT(taken_back.size(), 0u);
    EXPECT_EQ(blocks_in(taken_back, kNear), taken_back.size());
    EXPECT_GE(blocks_in(unanswered, {kFar, kFileBytes}), of_other);
}

TEST_F(TheReaders, OfAClosedFileWhatAnotherReaderWantsToIsNotTakenBack) {
    auto closed = open_and_read(0);
    auto const other = open();
    read(*other, {0, 2 * kMiB});
    pass(400ms);
    ASSERT_GT(unanswered.size(), 0u);
    forget_orders();

    closed.reset();
    pass(100ms);

    EXPECT_TRUE(taken_back.empty());
}

TEST_F(TheReaders, AScannersReadsAreAskedForAtOnceAndNothingElseIs) {
    auto const stream = open("ffprobe");

    start_read(*stream, 0);
    start_read(*stream, kFar);
    ASSERT_TRUE(answer_until([&] { return answered == 2; }));
    pass(10s);

    EXPECT_EQ(asked.size(), 2 * kPieceBytes / kBlockBytes);
    EXPECT_EQ(blocks_in(asked, {0, kReadBytes}), kPieceBytes / kBlockBytes);
    EXPECT_EQ(blocks_in(asked, {kFar, kFar + kReadBytes}), kPieceBytes / kBlockBytes);
}

TEST_F(TheReaders, ScannersHaveNoMoreFetchedThanTheBudgetOfTheFileHoweverOftenTheyOpenIt) {
    settings.scanner_budget_bytes = 2 * kMiB;
    std::size_t reads = 0;

    for (int opened = 0; opened < 4; ++opened) {
        auto const stream = open(opened % 2 == 0 ? "ffprobe" : "tumblerd");
        for (std::uint64_t begin = 0; begin < kFileBytes; begin += 3 * kMiB) {
            start_read(*stream, begin);
            ++reads;
            ASSERT_TRUE(answer_until([&] { return answered + refused == reads; }));
        }
    }

    EXPECT_EQ(asked.size(), 2 * kMiB / kBlockBytes);
    EXPECT_EQ(answered, 4 * 2 * kMiB / kPieceBytes) << "what is here is read again";
    EXPECT_EQ(download.have_bytes(), 2 * kMiB);
}

class AThousandHandles : public TheReaders {
protected:
    // Each has read the same mebibyte, so that it wants what comes in the twenty seconds after it.
    void SetUp() override {
        TheReaders::SetUp();
        read(*handles.emplace_back(open()), {0, kMiB});
        while (handles.size() < 1000) {
            auto& stream = *handles.emplace_back(open());
            for (std::uint64_t begin = 0; begin < kMiB; begin += kReadBytes)
                ASSERT_TRUE(stream.try_read({begin, begin + kReadBytes}));
        }
    }
    void tick_for(Duration how_long) {
        for (auto const end = clock.now() + how_long; clock.now() < end; pass(100ms)) readers.tick();
    }

    std::vector<std::unique_ptr<Stream>> handles;
};

TEST_F(AThousandHandles, OfOneFileHaveNoMoreWishesToPlanThanThirtyTwo) {
    tick_for(3s);

    EXPECT_GE(readers.wishes(), handles.size());
    EXPECT_LE(readers.wishes(), 32 * Demand::kMostWishes);
}

TEST_F(AThousandHandles, OfOneFileHaveWhatTheyWantPlannedTwiceInTwentyMillisecondsAtMost) {
    tick_for(1s);
    auto const before = plans;

    tick_for(2s);

    EXPECT_GT(plans, before);
    EXPECT_LE(plans - before, 200u);
}

TEST_F(AThousandHandles, OfOneFileDoNotHoldUpARead) {
    tick_for(1s);
    forget_orders();

    start_read(*handles.back(), kFar);
    ASSERT_TRUE(answer_until([&] { return !asked.empty(); }));

    EXPECT_EQ(asked.front().piece, layout().piece_at(kFar));
}

TEST_F(AThousandHandles, LeaveNoWishesBehind) {
    tick_for(1s);

    handles.clear();

    EXPECT_EQ(readers.wishes(), 0u);
}

}  // namespace
}  // namespace rqfs::torrent
