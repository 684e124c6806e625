#include "torrent/peer/handshake_exchange.h"

#include "tests/support/memory_stream.h"
#include "tests/support/run_engine.h"
#include "tests/support/virtual_clock.h"
#include "torrent/task_group.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

InfoHash hash_of(int fill) {
    std::array<std::byte, InfoHash::kBytes> bytes;
    bytes.fill(static_cast<std::byte>(fill));
    return InfoHash(bytes);
}

Handshake handshake_of(int hash, int id) {
    Handshake handshake;
    handshake.info_hash = hash_of(hash);
    handshake.peer_id.fill(static_cast<std::byte>(id));
    handshake.extensions = handshake.fast = true;
    return handshake;
}

// What became of one side.
struct Side {
    std::optional<Handshake> theirs;
    std::optional<boost::system::error_code> failure;
    std::string sentence;
};

asio::awaitable<void> note(asio::awaitable<Handshake> exchange, Side& side) {
    try {
        side.theirs = co_await std::move(exchange);
    } catch (boost::system::system_error const& e) {
        side.failure = e.code();
        side.sentence = sentence(e);
    }
}

asio::awaitable<void> write(StreamSocket& socket, std::vector<std::byte> bytes) {
    std::array<asio::const_buffer, 1> const buffers{asio::buffer(bytes)};
    co_await socket.write(buffers);
}

class HandshakeExchange : public testing::Test {
protected:
    ~HandshakeExchange() override { tests::run_engine(engine, tasks.stop()); }

    void dial(Handshake const& ours) { tasks.spawn(note(shake_hands_outgoing(clock, *streams.first, ours), dialler)); }
    void accept(std::optional<Handshake> ours) {
        auto find = [this, ours](InfoHash const& hash) {
            asked_for = hash;
            return ours && ours->info_hash == hash ? ours : std::nullopt;
        };
        tasks.spawn(note(shake_hands_incoming(clock, *streams.second, find), acceptor));
    }
    void say(tests::MemoryStreams& ends, bool first, std::vector<std::byte> bytes) {
        tasks.spawn(write(first ? *ends.first : *ends.second, std::move(bytes)));
        clock.run_for(engine, 0s);
    }
    static std::vector<std::byte> bytes_of(Handshake const& handshake) {
        auto const bytes = handshake.encode();
        return {bytes.begin(), bytes.end()};
    }

    asio::io_context engine{1};
    tests::VirtualClock clock;
    TaskGroup tasks{engine.get_executor(), "handshakes"};
    tests::MemoryStreams streams = tests::memory_streams(engine.get_executor());
    Side dialler;
    Side acceptor;
    std::optional<InfoHash> asked_for;
};

TEST_F(HandshakeExchange, BothSidesLearnWhoTheOtherIs) {
    dial(handshake_of(1, 10));
    accept(handshake_of(1, 20));

    clock.run_for(engine, 0s);

    ASSERT_TRUE(dialler.theirs && acceptor.theirs);
    EXPECT_EQ(dialler.theirs->peer_id, handshake_of(1, 20).peer_id);
    EXPECT_EQ(acceptor.theirs->peer_id, handshake_of(1, 10).peer_id);
    EXPECT_TRUE(dialler.theirs->fast && dialler.theirs->extensions);
}

TEST_F(HandshakeExchange, RefusesAPeerThatAnswersForAnotherTorrent) {
    dial(handshake_of(1, 10));

    say(streams, false, bytes_of(handshake_of(2, 20)));

    EXPECT_EQ(dialler.failure, make_error_code(Errc::not_found));
    EXPECT_EQ(dialler.sentence, "the peer answers for another torrent");
}

TEST_F(HandshakeExchange, RecognisesItselfByThePeerId) {
    dial(handshake_of(1, 10));
    accept(handshake_of(1, 10));

    clock.run_for(engine, 0s);

    EXPECT_EQ(dialler.failure, make_error_code(Errc::not_allowed));
    EXPECT_EQ(acceptor.failure, make_error_code(Errc::not_allowed));
}

TEST_F(HandshakeExchange, AnswersAsSoonAsTheInfoHashIsThere) {
    accept(handshake_of(1, 20));
    auto bytes = bytes_of(handshake_of(1, 10));
    bytes.resize(48);

    say(streams, true, bytes);

    EXPECT_EQ(asked_for, hash_of(1));
    EXPECT_FALSE(acceptor.theirs || acceptor.failure);
    std::vector<std::byte> answer(100);
    auto const read = tests::run_engine(engine, streams.first->read_some(asio::buffer(answer)));
    answer.resize(read);
    EXPECT_EQ(answer, bytes_of(handshake_of(1, 20)));
}

TEST_F(HandshakeExchange, SaysNothingToWhoNamesATorrentWeDoNotHave) {
    accept(std::nullopt);

    say(streams, true, bytes_of(handshake_of(3, 10)));

    EXPECT_EQ(acceptor.failure, make_error_code(Errc::not_found));
    streams.second->close();
    std::vector<std::byte> answer(100);
    EXPECT_THROW(tests::run_engine(engine, streams.first->read_some(asio::buffer(answer))),
                 boost::system::system_error);
}

TEST_F(HandshakeExchange, LeavesOtherProtocolsAtTheirFirstBytes) {
    accept(handshake_of(1, 20));

    say(streams, true, std::vector<std::byte>(20, std::byte{'G'}));

    EXPECT_EQ(acceptor.failure, make_error_code(Errc::malformed));
    EXPECT_FALSE(asked_for);
}

TEST_F(HandshakeExchange, GivesUpAfterTenSecondsOfSilence) {
    dial(handshake_of(1, 10));
    accept(std::nullopt);
    auto silent = tests::memory_streams(engine.get_executor());
    Side lonely;
    tasks.spawn(note(shake_hands_outgoing(clock, *silent.first, handshake_of(1, 10)), lonely));

    clock.run_for(engine, 9s);
    EXPECT_FALSE(lonely.failure);
    clock.run_for(engine, 1s);

    EXPECT_EQ(lonely.failure, make_error_code(Errc::timed_out));
}

TEST_F(HandshakeExchange, TheTenSecondsAreAbsoluteHoweverTheBytesTrickle) {
    accept(handshake_of(1, 20));
    auto const bytes = bytes_of(handshake_of(1, 10));

    for (std::size_t i = 0; i < 11; ++i) {
        say(streams, true, {bytes[i]});
        clock.run_for(engine, 1s);
    }

    EXPECT_EQ(acceptor.failure, make_error_code(Errc::timed_out));
}

TEST_F(HandshakeExchange, LeavesWhatComesBehindTheHandshakeUnread) {
    accept(handshake_of(1, 20));
    auto bytes = bytes_of(handshake_of(1, 10));
    bytes.insert(bytes.end(), {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}, std::byte{2}});

    say(streams, true, bytes);

    ASSERT_TRUE(acceptor.theirs);
    std::vector<std::byte> rest(100);
    EXPECT_EQ(tests::run_engine(engine, streams.second->read_some(asio::buffer(rest))), 5u);
}

}  // namespace
}  // namespace rqfs::torrent
