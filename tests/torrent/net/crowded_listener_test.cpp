#include "tests/support/run_virtual.h"
#include "tests/support/virtual_clock.h"
#include "torrent/event.h"
#include "torrent/net/listener.h"

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// Says nothing, and notes its end.
class SilentSocket final : public StreamSocket {
public:
    SilentSocket(Endpoint remote, std::shared_ptr<bool> ended) : remote_(remote), ended_(std::move(ended)) {}
    ~SilentSocket() override { *ended_ = true; }
    asio::awaitable<std::size_t> read_some(asio::mutable_buffer) override { co_return 0; }
    asio::awaitable<void> write(std::span<asio::const_buffer const>) override { co_return; }
    void close() override { *ended_ = true; }
    Endpoint local() const override { return {}; }
    Endpoint remote() const override { return remote_; }

private:
    Endpoint remote_;
    std::shared_ptr<bool> ended_;
};

// Accepts what it is given.
class MemoryAcceptor final : public Acceptor {
public:
    explicit MemoryAcceptor(asio::any_io_executor const& executor) : came_(executor) {}
    asio::awaitable<std::unique_ptr<StreamSocket>> accept() override {
        while (waiting_.empty() && !closed_) co_await came_.wait();
        if (closed_) throw boost::system::system_error(asio::error::operation_aborted);
        auto socket = std::move(waiting_.front());
        waiting_.pop_front();
        co_return socket;
    }
    void close() override {
        closed_ = true;
        came_.notify();
    }
    Endpoint local() const override { return Endpoint::parse("10.0.0.1:6881").value(); }
    void come(std::unique_ptr<StreamSocket> socket) {
        waiting_.push_back(std::move(socket));
        came_.notify();
    }

private:
    std::deque<std::unique_ptr<StreamSocket>> waiting_;
    Event came_;
    bool closed_ = false;
};

std::vector<std::unique_ptr<Acceptor>> one_acceptor(asio::any_io_executor const& executor) {
    std::vector<std::unique_ptr<Acceptor>> acceptors;
    acceptors.push_back(std::make_unique<MemoryAcceptor>(executor));
    return acceptors;
}

// A listener with four places, of which a host gets two.
class CrowdedListener : public testing::Test, private Listener::Owner {
protected:
    struct Guest {
        std::unique_ptr<StreamSocket> socket;
        Listener::Pending pending;
    };

    CrowdedListener() { listener.start(); }
    void TearDown() override { tests::run_virtual(engine, clock, listener.stop()); }
    void incoming(std::unique_ptr<StreamSocket> socket, Listener::Pending pending) override {
        guests.push_back({std::move(socket), std::move(pending)});
    }
    // Gives whether the connection has ended, now and later.
    std::shared_ptr<bool const> come(std::string const& from) {
        auto ended = std::make_shared<bool>(false);
        Endpoint const remote{Address::parse(from).value(), 50'000};
        auto socket = std::make_unique<SilentSocket>(remote, ended);
        static_cast<MemoryAcceptor&>(*acceptors.front()).come(std::move(socket));
        clock.run_for(engine, 1ms);
        peers.push_back(ended);
        return ended;
    }

    asio::io_context engine{1};
    tests::VirtualClock clock;
    std::vector<std::unique_ptr<Acceptor>> acceptors = one_acceptor(engine.get_executor());
    Listener listener{engine.get_executor(), clock, acceptors, *this, Listener::Caps{4, 2}};
    std::vector<Guest> guests;
    std::vector<std::shared_ptr<bool const>> peers;
};

TEST_F(CrowdedListener, WhenAllPlacesAreTakenTheOldestLeavesForTheNewOne) {
    auto const first = come("20.0.0.1");
    auto const second = come("20.0.0.2");
    come("20.0.0.3");
    come("20.0.0.4");

    auto const fifth = come("20.0.0.5");

    EXPECT_TRUE(*first);
    EXPECT_FALSE(*second);
    EXPECT_FALSE(*fifth);
    EXPECT_EQ(guests.size(), 5u);
}

TEST_F(CrowdedListener, WhoComesAgainAndAgainKeepsNobodyElseOut) {
    auto const honest = come("30.0.0.1");
    for (int i = 0; i < 200; ++i) come("20.0.0." + std::to_string(1 + i % 3));

    EXPECT_FALSE(*honest);
    EXPECT_EQ(guests.size(), 201u);
}

TEST_F(CrowdedListener, AllAddressesOfAnIpv6HostAreOne) {
    come("2600:1::1");
    come("2600:1::2");

    EXPECT_TRUE(*come("2600:1::3"));
    EXPECT_FALSE(*come("2600:1:0:1::3"));
}

TEST_F(CrowdedListener, WhoHasSpokenFreesItsPlaceAndStays) {
    auto const first = come("20.0.0.1");
    for (int i = 2; i <= 4; ++i) come("20.0.0." + std::to_string(i));
    guests.front().pending = Listener::Pending();

    come("20.0.0.5");

    EXPECT_FALSE(*first);
    EXPECT_FALSE(*peers.at(1));
}

TEST_F(CrowdedListener, TheEndOfOneThatWasClosedForAnotherFreesNoPlaceOfAnother) {
    for (int i = 1; i <= 5; ++i) come("20.0.0." + std::to_string(i));
    guests.erase(guests.begin());

    come("20.0.0.6");

    EXPECT_TRUE(*peers.at(1));
}

}  // namespace
}  // namespace rqfs::torrent
