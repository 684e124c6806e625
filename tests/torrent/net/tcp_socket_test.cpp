#include "torrent/net/tcp_socket.h"

#include "tests/support/run_engine.h"
#include "torrent/clock.h"
#include "torrent/net/connector.h"
#include "torrent/net/endpoint_conversion.h"
#include "torrent/task_group.h"

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using tests::run_engine;

class TcpSocketTest : public ::testing::Test {
protected:
    TcpSocketTest() {
        asio::ip::tcp::acceptor acceptor(engine, asio::ip::tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
        asio::ip::tcp::socket first(engine);
        first.connect(acceptor.local_endpoint());
        ours = std::make_unique<TcpSocket>(std::move(first));
        theirs = std::make_unique<TcpSocket>(acceptor.accept());
    }

    asio::io_context engine{1};
    std::unique_ptr<TcpSocket> ours;
    std::unique_ptr<TcpSocket> theirs;
};

asio::awaitable<void> write_all(StreamSocket& socket, std::vector<std::vector<std::byte>> parts) {
    std::vector<asio::const_buffer> buffers;
    for (auto const& part : parts) buffers.push_back(asio::buffer(part));
    std::span<asio::const_buffer const> const view(buffers);
    co_await socket.write(view);
}

asio::awaitable<std::vector<std::byte>> read_all(StreamSocket& socket, std::size_t total, std::size_t buffer_bytes) {
    std::vector<std::byte> out;
    std::vector<std::byte> room(buffer_bytes);
    while (out.size() < total) {
        auto const buffer = asio::buffer(room);
        auto const count = co_await socket.read_some(buffer);
        out.insert(out.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(count));
    }
    co_return out;
}

asio::awaitable<void> read_forever(StreamSocket& socket, std::size_t& reads) {
    std::array<std::byte, 64> room{};
    for (;;) {
        auto const buffer = asio::buffer(room);
        co_await socket.read_some(buffer);
        ++reads;
    }
}

TEST_F(TcpSocketTest, GathersManyBuffersAndKeepsTheirOrderWhenTheKernelTakesOnlySome) {
    std::mt19937 random(7);
    std::vector<std::vector<std::byte>> parts(300);
    std::vector<std::byte> all;
    for (auto& part : parts) {
        part.resize(random() % 60'000);
        for (auto& byte : part) byte = static_cast<std::byte>(random());
        all.insert(all.end(), part.begin(), part.end());
    }
    TaskGroup tasks(engine.get_executor(), "test");

    tasks.spawn(write_all(*ours, parts));
    auto const read = run_engine(engine, read_all(*theirs, all.size(), 50'000));

    EXPECT_TRUE(read == all);
    run_engine(engine, tasks.stop());
}

TEST_F(TcpSocketTest, GivesEndOfFileWhenTheOtherSideCloses) {
    ours->close();

    std::array<std::byte, 4> room{};
    auto const buffer = asio::buffer(room);
    boost::system::error_code code;
    try {
        run_engine(engine, theirs->read_some(buffer));
    } catch (boost::system::system_error const& e) {
        code = e.code();
    }

    EXPECT_EQ(code, asio::error::eof);
}

TEST_F(TcpSocketTest, GivesOthersATurnWhileAFastSenderFillsEveryBuffer) {
    run_engine(engine, write_all(*ours, {std::vector<std::byte>(60'000)}));
    std::size_t reads = 0;
    TaskGroup tasks(engine.get_executor(), "test");
    tasks.spawn(read_forever(*theirs, reads));
    std::size_t most_in_a_turn = 0;

    engine.restart();
    for (auto before = reads; engine.poll_one() > 0; before = reads)
        most_in_a_turn = std::max(most_in_a_turn, reads - before);

    EXPECT_GT(reads, 900u);
    EXPECT_LE(most_in_a_turn, 6u);
    EXPECT_GT(most_in_a_turn, 1u) << "full buffers are read without going through the queue";
    theirs->close();
    run_engine(engine, tasks.stop());
}

TEST_F(TcpSocketTest, CloseEndsAPendingReadAndMayBeRepeated) {
    std::size_t reads = 0;
    TaskGroup tasks(engine.get_executor(), "test");
    tasks.spawn(read_forever(*theirs, reads));
    engine.restart();
    engine.poll();

    theirs->close();
    theirs->close();
    engine.restart();
    engine.poll();

    EXPECT_EQ(tasks.running(), 0u);
    run_engine(engine, tasks.stop());
}

TEST_F(TcpSocketTest, KnowsBothEndpointsAfterTheConnectionIsGone) {
    auto const local = ours->local();

    theirs->close();
    ours->close();

    EXPECT_EQ(theirs->remote(), local);
    EXPECT_EQ(local.address.text(), "127.0.0.1");
}

TEST(TcpConnector, SaysWhomItCannotReachAndWhy) {
    asio::io_context engine{1};
    SteadyClock clock;
    TcpConnector connector(clock);
    asio::ip::tcp::acceptor closed(engine, asio::ip::tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    auto const nobody = from_asio(closed.local_endpoint());
    closed.close();

    std::string text;
    boost::system::error_code code;
    try {
        run_engine(engine, connector.connect(nobody, std::chrono::seconds(5)));
    } catch (boost::system::system_error const& e) {
        text = sentence(e);
        code = e.code();
    }

    EXPECT_EQ(code, asio::error::connection_refused);
    EXPECT_EQ(text, "cannot connect to " + nobody.text() + ": Connection refused");
}

TEST(TcpConnector, ConnectsOverIpv6) {
    asio::io_context engine{1};
    SteadyClock clock;
    TcpConnector connector(clock);
    asio::ip::tcp::acceptor acceptor(engine, asio::ip::tcp::endpoint(asio::ip::make_address("::1"), 0));

    auto const socket =
        run_engine(engine, connector.connect(from_asio(acceptor.local_endpoint()), std::chrono::seconds(5)));

    EXPECT_EQ(socket->remote().address.text(), "::1");
}

}  // namespace
}  // namespace rqfs::torrent
