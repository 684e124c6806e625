#include "torrent/net/linger_keeper.h"

#include "tests/support/run_engine.h"
#include "tests/support/run_virtual.h"
#include "tests/torrent/net/other_end.h"
#include "torrent/clock.h"
#include "torrent/net/endpoint_conversion.h"
#include "torrent/net/system_network.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using tests::comes_true;
using tests::FullListener;
using tests::OtherEnd;
using tests::run_engine;

// A network on loopback, tied to it or not, and who connects to it.
class LingerKeeperTest : public ::testing::Test {
protected:
    ~LingerKeeperTest() override { run_engine(engine, network->stop()); }

    void open(std::string_view interface, Clock& of) {
        network = std::make_unique<SystemNetwork>(engine.get_executor(), of, std::vector<std::string>{"127.0.0.1:0"},
                                                  InterfaceBinding(interface));
    }

    OtherEnd accepted() {
        asio::ip::tcp::socket theirs(engine);
        theirs.connect(to_tcp(network->acceptors()[0]->local()));
        ours = run_engine(engine, network->acceptors()[0]->accept());
        return OtherEnd(std::move(theirs));
    }

    OtherEnd dialled() {
        asio::ip::tcp::acceptor acceptor(engine, {asio::ip::make_address("127.0.0.1"), 0});
        ours = run_engine(engine, network->connector().connect(from_asio(acceptor.local_endpoint()), 5s));
        return OtherEnd(acceptor.accept());
    }

    bool runs_until(std::function<bool()> const& condition) {
        return comes_true([&] {
            engine.restart();
            engine.poll();
            return condition();
        });
    }

    // It has our end, and three times what it goes on sending is taken.
    void expect_lingers(OtherEnd& other) {
        EXPECT_TRUE(runs_until([&] { return other.reads_the_end(); }));
        for (int i = 0; i < 3; ++i) {
            EXPECT_TRUE(other.sends(1000)) << i;
            EXPECT_TRUE(runs_until([&] { return other.is_acknowledged(); })) << i;
        }
        EXPECT_FALSE(other.is_reset());
    }

    asio::io_context engine{1};
    SteadyClock clock;
    tests::VirtualClock made_up;
    std::unique_ptr<SystemNetwork> network;
    std::unique_ptr<StreamSocket> ours;
};

TEST_F(LingerKeeperTest, WithoutABindingWhoSendsToAClosedConnectionIsReset) {
    open("", clock);
    auto other = accepted();

    ours->close();

    EXPECT_TRUE(runs_until([&] { return other.reads_the_end(); }));
    EXPECT_TRUE(other.sends(1000));
    EXPECT_TRUE(runs_until([&] { return other.is_reset(); }));
}

TEST_F(LingerKeeperTest, BoundAConnectionThatCameInLingers) {
    open("lo", clock);
    auto other = accepted();

    ours->close();

    expect_lingers(other);
}

TEST_F(LingerKeeperTest, BoundAConnectionThatWeDialledLingers) {
    open("127.0.0.1", clock);
    auto other = dialled();

    ours->close();

    expect_lingers(other);
}

TEST_F(LingerKeeperTest, OneThatIsDestroyedWithoutBeingClosedLingersToo) {
    open("lo", clock);
    auto other = accepted();

    ours.reset();

    expect_lingers(other);
}

TEST_F(LingerKeeperTest, ADialThatIsGivenUpIsEndedWhenItIsAnswered) {
    open("lo", clock);
    FullListener listener(engine);

    EXPECT_THROW(run_engine(engine, network->connector().connect(from_asio(listener.endpoint()), 50ms)),
                 boost::system::system_error);
    listener.let_the_first_in();

    asio::ip::tcp::socket theirs(engine);
    ASSERT_TRUE(runs_until([&] { return (theirs = listener.next()).is_open(); }));
    OtherEnd other(std::move(theirs));
    EXPECT_TRUE(runs_until([&] { return other.reads_the_end(); }));
    EXPECT_TRUE(other.sends(1000));
    EXPECT_TRUE(runs_until([&] { return other.is_acknowledged(); }));
}

TEST_F(LingerKeeperTest, WhoNeverClosesIsResetInTheEnd) {
    open("lo", made_up);
    auto other = accepted();

    ours->close();
    made_up.run_for(engine, limit::kLingerReading + limit::kLingerUnread + 1s);

    EXPECT_TRUE(comes_true([&] { return other.is_reset(); }));
}

TEST_F(LingerKeeperTest, StopWaitsAMomentForWhoDoesNotClose) {
    open("lo", made_up);
    auto other = accepted();
    ours->close();

    auto const begin = made_up.now();
    tests::run_virtual(engine, made_up, network->stop());

    EXPECT_GE(made_up.now() - begin, limit::kLingerAtStop);
    EXPECT_LE(made_up.now() - begin, limit::kLingerAtStop + 100ms);
    EXPECT_TRUE(comes_true([&] { return other.is_reset(); }));
}

TEST_F(LingerKeeperTest, StopWaitsForNobodyWhoHasClosed) {
    open("lo", made_up);
    auto other = accepted();
    ours->close();
    other.socket.close();
    std::this_thread::sleep_for(50ms);

    auto const begin = made_up.now();
    tests::run_virtual(engine, made_up, network->stop());

    EXPECT_LE(made_up.now() - begin, 100ms);
}

TEST_F(LingerKeeperTest, AfterStopConnectionsAreClosedAtOnce) {
    open("lo", clock);
    auto other = accepted();
    run_engine(engine, network->stop());

    ours->close();

    EXPECT_TRUE(runs_until([&] { return other.reads_the_end(); }));
    EXPECT_TRUE(other.sends(1000));
    EXPECT_TRUE(runs_until([&] { return other.is_reset(); }));
}

}  // namespace
}  // namespace rqfs::torrent
