#include "torrent/swarm/block_table.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace rqfs::torrent {
namespace {

constexpr TimePoint kNow{std::chrono::seconds(1000)};
constexpr auto kAny = [](BlockIndex) { return true; };

TEST(BlockTable, ABlockIsFreeUntilSomebodyIsExpectedToSendIt) {
    BlockTable table;
    auto const flight = table.open(PieceIndex(7), 2);

    auto const request = table.ask(flight, BlockIndex(0), 3, kNow);
    EXPECT_EQ(table.flight(flight).free, 1u);
    EXPECT_EQ(table.find_free(flight, kAny), 1u);
    table.doubt(request);
    EXPECT_EQ(table.find_free(flight, kAny), 0u);
    EXPECT_EQ(table.flight(flight).free, 2u);
    table.drop(request);

    EXPECT_EQ(table.flight(flight).free, 2u);
    EXPECT_EQ(table.flight(flight).outstanding, 0u);
}

TEST(BlockTable, KnowsEveryoneWhoWasAskedForABlock) {
    BlockTable table;
    auto const flight = table.open(PieceIndex(7), 2);
    auto const one = table.ask(flight, BlockIndex(1), 3, kNow);
    auto const two = table.ask(flight, BlockIndex(1), 5, kNow);

    EXPECT_EQ(table.find(flight, BlockIndex(1), 3), one);
    EXPECT_EQ(table.find(flight, BlockIndex(1), 5), two);
    EXPECT_EQ(table.find(flight, BlockIndex(1), 4), BlockTable::kNone);
    table.drop(one);

    EXPECT_EQ(table.find(flight, BlockIndex(1), 3), BlockTable::kNone);
    EXPECT_EQ(table.flight(flight).blocks[1].asked, 1u);
    EXPECT_EQ(table.flight(flight).free, 1u);
}

TEST(BlockTable, KeepsTheOrderOfAPeersRequests) {
    BlockTable table;
    auto const flight = table.open(PieceIndex(7), 4);
    std::vector<BlockTable::RequestId> ids;
    for (std::uint32_t b = 0; b < 4; ++b) ids.push_back(table.ask(flight, BlockIndex(b), 3, kNow));

    table.drop(ids[1]);
    table.doubt(ids[0]);
    table.number(3);

    EXPECT_EQ(table.queue(3).first, ids[0]);
    EXPECT_EQ(table.queue(3).last, ids[3]);
    EXPECT_EQ(table.queue(3).size, 3u);
    EXPECT_EQ(table.queue(3).expected, 2u);
    EXPECT_EQ(table.request(ids[3]).ahead, 1u) << "what is not expected delays nothing";
}

TEST(BlockTable, UsesClosedFlightsAndDroppedRequestsAgain) {
    BlockTable table;
    auto const flight = table.open(PieceIndex(7), 4);
    auto const request = table.ask(flight, BlockIndex(0), 0, kNow);
    table.drop(request);
    table.close(flight);
    EXPECT_TRUE(table.in_use().empty());
    EXPECT_EQ(table.blocks_in_flight(), 0u);

    auto const next = table.open(PieceIndex(8), 2);

    EXPECT_EQ(next, flight);
    EXPECT_EQ(table.flight(next).blocks.size(), 2u);
    EXPECT_EQ(table.flight(next).free, 2u);
    EXPECT_EQ(table.ask(next, BlockIndex(0), 0, kNow), request);
}

TEST(BlockTable, IsCompleteWhenEveryBlockArrived) {
    BlockTable table;
    auto const flight = table.open(PieceIndex(7), 2);
    table.drop(table.ask(flight, BlockIndex(0), 0, kNow));

    table.arrived(flight, BlockIndex(1));
    EXPECT_FALSE(table.flight(flight).complete());
    EXPECT_EQ(table.flight(flight).free, 1u);
    table.arrived(flight, BlockIndex(0));

    EXPECT_TRUE(table.flight(flight).complete());
    EXPECT_EQ(table.find_free(flight, kAny), BlockTable::kNone);
}

}  // namespace
}  // namespace rqfs::torrent
