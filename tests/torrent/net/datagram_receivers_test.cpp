#include "torrent/net/datagram_receivers.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace rqfs::torrent {
namespace {

struct Listener final : UdpSocket::Receiver {
    bool datagram(Endpoint const&, std::span<std::byte const>) override {
        ++heard;
        if (then) then();
        return takes;
    }
    bool takes = false;
    int heard = 0;
    std::function<void()> then;
};

class DatagramReceiversTest : public testing::Test {
protected:
    bool deliver() { return receivers.deliver(Endpoint(), bytes); }

    DatagramReceivers receivers;
    Listener first, second;
    std::vector<std::byte> const bytes{std::byte{1}};
};

TEST_F(DatagramReceiversTest, NobodyHearsWhatAnotherTook) {
    receivers.add(first);
    receivers.add(second);
    first.takes = true;

    EXPECT_TRUE(deliver());

    EXPECT_EQ(first.heard, 1);
    EXPECT_EQ(second.heard, 0);
}

TEST_F(DatagramReceiversTest, AllHearWhatNobodyTakes) {
    receivers.add(first);
    receivers.add(second);

    EXPECT_FALSE(deliver());

    EXPECT_EQ(first.heard, 1);
    EXPECT_EQ(second.heard, 1);
}

TEST_F(DatagramReceiversTest, WhoIsRemovedWhileADatagramIsDeliveredHearsNothingOfIt) {
    receivers.add(first);
    receivers.add(second);
    first.then = [&] { receivers.remove(second); };

    EXPECT_FALSE(deliver());
    EXPECT_FALSE(deliver());

    EXPECT_EQ(first.heard, 2);
    EXPECT_EQ(second.heard, 0);
}

TEST_F(DatagramReceiversTest, WhoLeavesWhileADatagramIsDeliveredKeepsItFromNobody) {
    receivers.add(first);
    receivers.add(second);
    first.then = [&] { receivers.remove(first); };

    EXPECT_FALSE(deliver());
    EXPECT_FALSE(deliver());

    EXPECT_EQ(first.heard, 1);
    EXPECT_EQ(second.heard, 2);
}

TEST_F(DatagramReceiversTest, WhoIsAddedWhileADatagramIsDeliveredHearsIt) {
    receivers.add(first);
    first.then = [&] { receivers.add(second); };
    second.takes = true;

    EXPECT_TRUE(deliver());

    EXPECT_EQ(second.heard, 1);
}

TEST_F(DatagramReceiversTest, ItIsKnownWhetherADatagramIsBeingDelivered) {
    receivers.add(first);
    bool during = false;
    first.then = [&] { during = receivers.delivering(); };

    deliver();

    EXPECT_TRUE(during);
    EXPECT_FALSE(receivers.delivering());
}

}  // namespace
}  // namespace rqfs::torrent
