#include "torrent/peer/outgoing_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using Request = PeerConnection::Request;

Request request(std::uint32_t piece) { return {PieceIndex(piece), 0, 100}; }

SharedBytes hundred_bytes() { return SharedBytes(std::vector<std::byte>(100, std::byte{5})); }

std::size_t bytes_in(std::span<boost::asio::const_buffer const> buffers) {
    std::size_t bytes = 0;
    for (auto const& buffer : buffers) bytes += buffer.size();
    return bytes;
}

TEST(OutgoingQueue, WritesControlMessagesBeforeBlocks) {
    OutgoingQueue queue;
    auto const block = hundred_bytes();
    queue.add_block(request(1), block);
    append_message(queue.control(), MessageId::unchoke);

    auto const buffers = queue.begin_write(1 << 20);

    ASSERT_EQ(buffers.size(), 3u);
    EXPECT_EQ(buffers[0].size(), 5u);
    EXPECT_EQ(buffers[1].size(), kPieceHeaderBytes);
    EXPECT_EQ(buffers[2].data(), block.data());
    EXPECT_EQ(queue.end_write(), 100u);
    EXPECT_TRUE(queue.empty());
}

TEST(OutgoingQueue, WritesAsManyBlocksAsAllowedButAtLeastOne) {
    OutgoingQueue queue;
    for (std::uint32_t piece = 0; piece < 5; ++piece) queue.add_block(request(piece), hundred_bytes());

    EXPECT_EQ(bytes_in(queue.begin_write(250)), 2 * (100 + kPieceHeaderBytes));
    EXPECT_EQ(queue.end_write(), 200u);
    EXPECT_EQ(bytes_in(queue.begin_write(1)), 100 + kPieceHeaderBytes);
    EXPECT_EQ(queue.end_write(), 100u);
    EXPECT_EQ(queue.block_bytes(), 200u);
}

TEST(OutgoingQueue, TakesBackABlockThatIsNotBeingWritten) {
    OutgoingQueue queue;
    queue.add_block(request(1), hundred_bytes());
    queue.add_block(request(2), hundred_bytes());
    queue.begin_write(100);

    EXPECT_FALSE(queue.remove_block(request(1)));
    EXPECT_TRUE(queue.remove_block(request(2)));

    EXPECT_EQ(queue.block_bytes(), 100u);
    EXPECT_EQ(queue.blocks(), 1u);
    EXPECT_EQ(queue.end_write(), 100u);
    EXPECT_TRUE(queue.empty());
}

TEST(OutgoingQueue, KeepsWhatIsQueuedDuringAWriteForTheNext) {
    OutgoingQueue queue;
    append_message(queue.control(), MessageId::choke);
    auto const first = queue.begin_write(0);
    EXPECT_EQ(bytes_in(first), 5u);

    append_message(queue.control(), MessageId::unchoke);
    append_message(queue.control(), MessageId::have, PieceIndex(1));

    EXPECT_EQ(queue.control_bytes(), 5u + 14u);
    queue.end_write();
    EXPECT_EQ(bytes_in(queue.begin_write(0)), 14u);
    queue.end_write();
}

TEST(OutgoingQueue, TakesBackBlocksByCondition) {
    OutgoingQueue queue;
    for (std::uint32_t piece = 0; piece < 4; ++piece) queue.add_block(request(piece), hundred_bytes());

    auto const removed = queue.remove_blocks_if([](Request const& r) { return r.piece.value() % 2 == 0; });

    EXPECT_EQ(removed, (std::vector<Request>{request(0), request(2)}));
    EXPECT_EQ(queue.block_bytes(), 200u);
}

}  // namespace
}  // namespace rqfs::torrent
