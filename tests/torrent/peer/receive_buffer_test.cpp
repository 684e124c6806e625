#include "torrent/peer/receive_buffer.h"

#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace rqfs::torrent {
namespace {

void receive(ReceiveBuffer& buffer, std::string const& text) {
    auto const room = buffer.free_space();
    std::memcpy(room.data(), text.data(), text.size());
    buffer.received(text.size());
}

std::string unread(ReceiveBuffer const& buffer) {
    return {reinterpret_cast<char const*>(buffer.unread().data()), buffer.unread().size()};
}

TEST(ReceiveBuffer, GivesWhatCameInItsOrder) {
    ReceiveBuffer buffer;

    receive(buffer, "abc");
    receive(buffer, "def");

    EXPECT_EQ(unread(buffer), "abcdef");
}

TEST(ReceiveBuffer, KeepsAnIncompleteMessageWhenItMakesRoom) {
    ReceiveBuffer buffer;
    receive(buffer, "abcdef");
    buffer.consume(4);

    receive(buffer, "gh");

    EXPECT_EQ(unread(buffer), "efgh");
}

TEST(ReceiveBuffer, HasRoomForTheLongestMessage) {
    ReceiveBuffer buffer;

    EXPECT_GE(buffer.free_space().size(), limit::kPieces / 8 + 5);
    EXPECT_GE(buffer.free_space().size(), limit::kReceiveBufferBytes);
}

TEST(ReceiveBuffer, ConsumedBytesAreRoomAgain) {
    ReceiveBuffer buffer;
    auto const all = buffer.free_space().size();
    buffer.received(all);
    EXPECT_TRUE(buffer.free_space().empty());

    buffer.consume(all);

    EXPECT_EQ(buffer.free_space().size(), all);
}

TEST(ReceiveBuffer, CountsPagesOnlyOnceTheyWereUsed) {
    ReceiveBuffer buffer;
    receive(buffer, std::string(4096, 'x'));
    EXPECT_FALSE(buffer.uses_more_than_a_page());
    receive(buffer, "y");
    EXPECT_TRUE(buffer.uses_more_than_a_page());
    buffer.consume(4097);

    buffer.give_back_pages();

    EXPECT_FALSE(buffer.uses_more_than_a_page());
    receive(buffer, std::string(10'000, 'z'));
    EXPECT_EQ(unread(buffer), std::string(10'000, 'z'));
}

}  // namespace
}  // namespace rqfs::torrent
