#include "torrent/net/lingering_sockets.h"

#include "tests/torrent/net/other_end.h"
#include "torrent/limits.h"

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/system/error_code.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <utility>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using tests::comes_true;
using tests::FullListener;
using tests::OtherEnd;

class LingeringSocketsTest : public ::testing::Test {
protected:
    // A connection of ours that has come to its end.
    OtherEnd ends() {
        asio::ip::tcp::acceptor acceptor(engine, {asio::ip::make_address("127.0.0.1"), 0});
        asio::ip::tcp::socket theirs(engine);
        theirs.connect(acceptor.local_endpoint());
        lingering.add(acceptor.accept().release(), now);
        return OtherEnd(std::move(theirs));
    }

    bool looks_until(std::function<bool()> const& condition) {
        return comes_true([&] {
            lingering.look(now);
            return condition();
        });
    }

    asio::io_context engine{1};
    TimePoint now{1h};
    TimePoint const unread = now + limit::kLingerReading;
    TimePoint const over = unread + limit::kLingerUnread;
    LingeringSockets lingering{3};
};

TEST_F(LingeringSocketsTest, WhatTheOtherEndGoesOnSendingIsTakenAndNotReset) {
    auto other = ends();

    EXPECT_TRUE(comes_true([&] { return other.reads_the_end(); }));
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(looks_until([&] { return other.sends(60'000); })) << i;
        ASSERT_TRUE(looks_until([&] { return other.is_acknowledged(); })) << i;
    }
    EXPECT_FALSE(other.is_reset());
    EXPECT_EQ(lingering.size(), 1u);
}

TEST_F(LingeringSocketsTest, IsClosedWhenTheOtherEndHasClosed) {
    auto other = ends();
    other.sends(1000);

    other.socket.close();

    EXPECT_TRUE(looks_until([&] { return lingering.size() == 0; }));
}

TEST_F(LingeringSocketsTest, WhoseOtherEndHasClosedBeforeIsNotKept) {
    asio::ip::tcp::acceptor acceptor(engine, {asio::ip::make_address("127.0.0.1"), 0});
    asio::ip::tcp::socket theirs(engine);
    theirs.connect(acceptor.local_endpoint());
    auto ours = acceptor.accept();
    theirs.close();
    ours.wait(asio::socket_base::wait_read);

    lingering.add(ours.release(), now);

    EXPECT_EQ(lingering.size(), 0u);
}

TEST_F(LingeringSocketsTest, TowardsItsEndNothingIsReadSoThatNothingIsOnItsWay) {
    auto other = ends();
    now = unread;

    EXPECT_TRUE(looks_until([&] { return other.sends_all_it_can() == 0 && !other.is_acknowledged(); }));

    EXPECT_FALSE(other.is_reset());
    EXPECT_EQ(lingering.size(), 1u);
}

TEST_F(LingeringSocketsTest, IsResetWhenItsTimeIsOver) {
    auto other = ends();
    other.sends_all_it_can();

    now = over - 1ms;
    lingering.look(now);
    EXPECT_EQ(lingering.size(), 1u);
    now = over;
    lingering.look(now);

    EXPECT_EQ(lingering.size(), 0u);
    EXPECT_TRUE(comes_true([&] { return other.is_reset(); }));
}

TEST_F(LingeringSocketsTest, TooManyCostTheOldest) {
    auto first = ends();
    auto second = ends();
    auto third = ends();
    auto fourth = ends();

    EXPECT_EQ(lingering.size(), 3u);
    EXPECT_TRUE(comes_true([&] { return first.is_reset(); }));
    EXPECT_FALSE(second.is_reset());
}

TEST_F(LingeringSocketsTest, AllCanBeClosedAtOnce) {
    auto other = ends();

    lingering.close_all();

    EXPECT_EQ(lingering.size(), 0u);
    EXPECT_TRUE(comes_true([&] { return other.is_reset(); }));
}

TEST_F(LingeringSocketsTest, ADialIsKeptUntilItIsAnsweredAndThenEnded) {
    FullListener listener(engine);
    asio::ip::tcp::socket ours(engine);
    ours.open(asio::ip::tcp::v4());
    ours.native_non_blocking(true);
    auto const there = listener.endpoint();
    ASSERT_EQ(::connect(ours.native_handle(), there.data(), static_cast<socklen_t>(there.size())), -1);
    ASSERT_EQ(errno, EINPROGRESS);

    lingering.add(ours.release(), now);
    lingering.look(now);
    listener.let_the_first_in();

    asio::ip::tcp::socket theirs(engine);
    ASSERT_TRUE(looks_until([&] { return (theirs = listener.next()).is_open(); }));
    OtherEnd other(std::move(theirs));
    EXPECT_TRUE(looks_until([&] { return other.reads_the_end(); }));
}

TEST_F(LingeringSocketsTest, ADialThatIsRefusedIsNotKept) {
    asio::ip::tcp::acceptor acceptor(engine, {asio::ip::make_address("127.0.0.1"), 0});
    auto const nobody = acceptor.local_endpoint();
    acceptor.close();
    asio::ip::tcp::socket ours(engine, asio::ip::tcp::v4());
    ours.native_non_blocking(true);
    ::connect(ours.native_handle(), nobody.data(), static_cast<socklen_t>(nobody.size()));

    lingering.add(ours.release(), now);

    EXPECT_TRUE(looks_until([&] { return lingering.size() == 0; }));
}

TEST_F(LingeringSocketsTest, ASocketOfDatagramsStaysForItsTime) {
    asio::ip::udp::socket ours(engine, {asio::ip::make_address("127.0.0.1"), 0});
    asio::ip::udp::socket theirs(engine, asio::ip::udp::v4());
    theirs.connect(ours.local_endpoint());
    auto const refused = [&] {
        boost::system::error_code first;
        boost::system::error_code second;
        theirs.send(asio::buffer("", 0), 0, first);
        theirs.send(asio::buffer("late", 4), 0, second);
        return first == asio::error::connection_refused || second == asio::error::connection_refused;
    };

    lingering.add(ours.release(), now);
    now = over - 1ms;
    lingering.look(now);
    EXPECT_FALSE(refused());
    EXPECT_FALSE(refused());
    now = over;
    lingering.look(now);

    EXPECT_TRUE(comes_true(refused));
}

}  // namespace
}  // namespace rqfs::torrent
