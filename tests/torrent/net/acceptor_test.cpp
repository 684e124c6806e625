#include "torrent/net/acceptor.h"

#include "tests/support/run_engine.h"
#include "torrent/net/endpoint_conversion.h"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <utility>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class TcpAcceptorTest : public ::testing::Test {
protected:
    ~TcpAcceptorTest() override {
        acceptor.close();
        settle();
    }
    tcp::acceptor listening() { return tcp::acceptor(engine, place); }
    void begin() {
        asio::co_spawn(engine, acceptor.accept(),
                       [this](std::exception_ptr const& why, std::unique_ptr<StreamSocket> socket) {
                           failure = why;
                           accepted = std::move(socket);
                       });
        settle();
    }
    void settle() {
        engine.restart();
        engine.run_for(std::chrono::milliseconds(20));
    }
    bool dial() {
        boost::system::error_code code;
        caller.connect(place, code);
        for (int i = 0; i < 500 && !code && !accepted; ++i) settle();
        return accepted != nullptr;
    }
    boost::system::error_code code_of_failure() const {
        try {
            if (failure) std::rethrow_exception(failure);
        } catch (boost::system::system_error const& e) {
            return e.code();
        }
        return {};
    }

    asio::io_context engine{1};
    tcp::acceptor first{engine, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    tcp::endpoint const place = first.local_endpoint();
    TcpAcceptor acceptor{std::move(first), from_asio(place)};
    tcp::socket caller{engine};
    std::unique_ptr<StreamSocket> accepted;
    std::exception_ptr failure;
};

TEST_F(TcpAcceptorTest, WhoWaitsForAConnectionGetsThatOfTheSocketThatReplacedTheOther) {
    begin();
    acceptor.replace(tcp::acceptor(engine));
    settle();

    acceptor.replace(listening());

    EXPECT_TRUE(dial());
    EXPECT_FALSE(failure);
}

TEST_F(TcpAcceptorTest, WithoutASocketNobodyConnectsAndWhoWaitsGoesOnWaiting) {
    begin();

    acceptor.replace(tcp::acceptor(engine));

    EXPECT_FALSE(dial());
    EXPECT_FALSE(failure);
    EXPECT_FALSE(acceptor.is_open());
}

TEST_F(TcpAcceptorTest, WhoBeginsToWaitWithoutASocketGetsThatOfTheNext) {
    acceptor.replace(tcp::acceptor(engine));
    begin();

    acceptor.replace(listening());

    EXPECT_TRUE(dial());
}

TEST_F(TcpAcceptorTest, OnceClosedItTakesNoOtherSocket) {
    begin();
    acceptor.close();
    settle();

    acceptor.replace(tcp::acceptor(engine, tcp::endpoint(place.address(), 0)));

    EXPECT_FALSE(acceptor.is_open());
    EXPECT_EQ(code_of_failure(), asio::error::operation_aborted);
    EXPECT_THROW(tests::run_engine(engine, acceptor.accept()), boost::system::system_error);
}

TEST_F(TcpAcceptorTest, ClosedWhileItHasNoSocketItEndsWhoWaits) {
    begin();
    acceptor.replace(tcp::acceptor(engine));
    settle();

    acceptor.close();
    settle();

    EXPECT_EQ(code_of_failure(), asio::error::operation_aborted);
}

}  // namespace
}  // namespace rqfs::torrent
