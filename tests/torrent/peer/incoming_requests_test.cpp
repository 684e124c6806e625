#include "torrent/peer/incoming_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rqfs::torrent {
namespace {

using Request = PeerConnection::Request;

Request block(std::uint32_t piece, std::uint32_t number) { return {PieceIndex(piece), number * 16384, 16384}; }

IncomingRequests of(std::initializer_list<Request> all) {
    IncomingRequests requests;
    for (auto const& request : all) requests.add(request);
    return requests;
}

TEST(IncomingRequests, ReadNeighboursTogether) {
    auto requests = of({block(1, 0), block(1, 1), block(1, 2)});

    auto const run = requests.start_reading(1 << 20);

    EXPECT_EQ(run.piece, PieceIndex(1));
    EXPECT_EQ(run.range, (ByteRange{0, 49152}));
    EXPECT_FALSE(requests.any_waiting());
    EXPECT_EQ(requests.size(), 3u);
}

TEST(IncomingRequests, EndARunAtAGapAnotherPieceOrItsLength) {
    EXPECT_EQ(of({block(1, 0), block(1, 2)}).start_reading(1 << 20).range.size(), 16384u);
    EXPECT_EQ(of({block(1, 3), block(2, 4)}).start_reading(1 << 20).range.size(), 16384u);
    EXPECT_EQ(of({block(1, 1), block(1, 0)}).start_reading(1 << 20).range.size(), 16384u);
    EXPECT_EQ(of({block(1, 0), block(1, 1), block(1, 2)}).start_reading(2 * 16384).range.size(), 2 * 16384u);
    EXPECT_EQ(of({block(1, 0), block(1, 1)}).start_reading(1).range.size(), 16384u);
}

TEST(IncomingRequests, LeaveWaitingWhatIsNotInTheRun) {
    auto requests = of({block(1, 0), block(1, 1), block(5, 0)});

    requests.start_reading(1 << 20);

    EXPECT_EQ(requests.take_oldest(), block(5, 0));
    EXPECT_EQ(requests.take_oldest(), std::nullopt);
}

TEST(IncomingRequests, CanBeTakenWhileTheyAreRead) {
    auto requests = of({block(1, 0), block(1, 1), block(2, 0)});
    requests.start_reading(1 << 20);

    EXPECT_TRUE(requests.take(block(1, 0)));
    EXPECT_FALSE(requests.take(block(1, 0)));
    EXPECT_TRUE(requests.take(block(2, 0)));

    EXPECT_EQ(requests.next_read(), block(1, 1));
    requests.pop_read();
    EXPECT_EQ(requests.next_read(), std::nullopt);
    EXPECT_EQ(requests.size(), 0u);
}

TEST(IncomingRequests, TakeIfFindsThoseReadAndThoseWaiting) {
    auto requests = of({block(1, 0), block(2, 0), block(1, 1)});
    requests.start_reading(1 << 20);

    auto const taken = requests.take_if([](Request const& request) { return request.piece == PieceIndex(1); });

    EXPECT_THAT(taken, testing::ElementsAre(block(1, 0), block(1, 1)));
    EXPECT_EQ(requests.size(), 1u);
}

TEST(IncomingRequests, ARunThatCannotBeReadIsTakenWhole) {
    auto requests = of({block(1, 0), block(1, 1), block(2, 0)});
    requests.start_reading(1 << 20);

    EXPECT_THAT(requests.take_run(), testing::ElementsAre(block(1, 0), block(1, 1)));
    EXPECT_EQ(requests.size(), 1u);
}

}  // namespace
}  // namespace rqfs::torrent
