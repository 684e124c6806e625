#include "tests/sim/sessions/film_player.h"
#include "tests/sim/sessions/sessions.h"
#include "tests/sim/sessions/swarm_peer.h"
#include "tests/support/make_torrent.h"
#include "torrent/swarm/seek_budget.h"
#include "torrent/timeout.h"

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace torrent;

constexpr std::uint64_t kKernelRead = 128u << 10;
constexpr double kFilm = 250e3;  // bytes a second

void fail_if_thrown(std::exception_ptr const& failure) { EXPECT_FALSE(failure); }

// Programs that read as nobody should, and others beside them. Three files in one torrent: the film, what hostile
// readers read, and one that is sought in now and then.
class HostileReaders : public Sessions {
protected:
    void SetUp() override {
        TorrentOptions options;
        options.name = "films";
        options.files = {{"film.mkv", kFilmBytes}, {"other.mkv", kOtherBytes}, {"third.mkv", kOtherBytes}};
        options.piece_bytes = kPiece;
        made = make_torrent(options);
        hash = made.metainfo->info_hash();
        leech = &add("20.0.0.1:6881");
        run(leech->session->add(made.file, AddOptions{}));
    }
    void TearDown() override {
        player.reset();
        for (auto const& seed : seeds) run(seed->stop());
        Sessions::TearDown();
    }

    void meet(int count, double bytes_per_second, Manner manner = Manner::honest) {
        for (int i = 0; i < count; ++i) {
            auto& host = network.add({Endpoint::parse("20.1." + std::to_string(seeds.size()) + ".1:6881").value()});
            SwarmPeer::Options const options{manner, bytes_per_second, i % 2 == 0};
            seeds.push_back(std::make_unique<SwarmPeer>(engine.get_executor(), clock, host, made, options));
            run(leech->session->connect(hash, host.endpoint().address.text(), host.endpoint().port));
        }
    }
    std::unique_ptr<Stream> open_other() { return leech->session->open(hash, FileIndex(1), ReaderProgram{}); }
    void start_player(std::uint64_t bytes) {
        player =
            std::make_unique<FilmPlayer>(clock, leech->session->open(hash, FileIndex(0), ReaderProgram{}), made.data,
                                         FilmPlayer::Film{.bytes_per_second = kFilm, .part = {0, bytes}});
        asio::co_spawn(engine, player->play(), fail_if_thrown);
    }
    std::uint64_t messages() const {
        std::uint64_t sum = 0;
        for (auto const& seed : seeds) sum += seed->heard().messages;
        return sum;
    }
    std::uint64_t sent_bytes() const {
        std::uint64_t sum = 0;
        for (auto const& seed : seeds) sum += seed->sent_bytes();
        return sum;
    }

    std::pair<std::uint64_t, std::uint64_t> requests_and_cancels() const {
        std::pair<std::uint64_t, std::uint64_t> sum;
        for (auto const& seed : seeds) {
            sum.first += seed->heard().requests;
            sum.second += seed->heard().cancels;
        }
        return sum;
    }

    // Reads at a new place again and again, and waits for it no longer than its patience.
    asio::awaitable<void> seek_about(Stream& stream, Duration how_long, Duration patience, Duration pause) {
        auto const end = clock.now() + how_long;
        std::uniform_int_distribution<std::uint64_t> place(0, kOtherBytes - kKernelRead);
        while (clock.now() < end) {
            auto const begin = place(random);
            ByteRange const range{begin, begin + kKernelRead};
            ++seeks;
            try {
                auto reading = stream.read(range);
                co_await with_timeout(clock, std::move(reading), patience, too_late);
            } catch (boost::system::system_error const& e) {
                if (e.code() != Errc::timed_out) throw;
            }
            co_await clock.sleep(pause);
        }
    }

    void expect_played() {
        EXPECT_TRUE(until(2min, [&] { return player->ended(); }));
        EXPECT_TRUE(player->correct());
        EXPECT_LE(seconds_of(player->start()), 10);
        EXPECT_EQ(seconds_of(player->stalled()), 0);
    }
    void expect_nothing_left() {
        until(5s, [] { return false; });
        EXPECT_EQ(leech->session->torrent(hash).readers, 0u);
        EXPECT_EQ(leech->session->torrent(hash).blocked_reads, 0u);
        for (auto const& peer : leech->session->peers(hash)) EXPECT_EQ(peer.requests_in_flight, 0u);
        auto const before = messages();
        until(20s, [] { return false; });
        EXPECT_EQ(messages(), before) << "nobody wants anything any more";
    }
    std::size_t longest_queue() const {
        std::size_t longest = 0;
        for (auto const& seed : seeds) longest = std::max(longest, seed->heard().queue);
        return longest;
    }

    static constexpr std::uint64_t kHandles = 1000;
    static constexpr std::uint64_t kPiece = 1u << 20;
    static constexpr std::uint64_t kFilmBytes = 6'000'000;
    static constexpr std::uint64_t kOtherBytes = 24'000'000;
    std::string const too_late = "too late";
    MadeTorrent made;
    InfoHash hash;
    Member* leech = nullptr;
    std::vector<std::unique_ptr<SwarmPeer>> seeds;
    std::unique_ptr<FilmPlayer> player;
    std::mt19937 random{1};
    std::uint64_t seeks = 0;
};

TEST_F(HostileReaders, ThousandsOfSeeksASecondAreFewMessagesToPeers) {
    meet(8, 2500e3);
    auto const stream = open_other();
    read(*stream, {0, 8 * kPiece});  // the peers are known to be fast, so their queues are long
    auto const before = requests_and_cancels();
    auto const sent = sent_bytes();

    run(seek_about(*stream, 2s, 250us, 250us));

    EXPECT_GE(seeks, 4000u);
    auto const after = requests_and_cancels();
    auto const cancels = after.second - before.second;
    constexpr double kInFlight = 1000;
    EXPECT_LE(static_cast<double>(cancels), SeekBudget::kAtOnce + 2 * SeekBudget::kPerSecond + kInFlight);
    EXPECT_LE(after.first - before.first, cancels + (sent_bytes() - sent) / kBlockBytes + 1000);
}

TEST_F(HostileReaders, APlayerHasItsShareBesideThoseWhoSeekThousandsOfTimesASecond) {
    meet(8, 250e3);
    auto const stream = open_other();
    start_player(5'000'000);

    run(seek_about(*stream, 4s, 250us, 250us));

    expect_played();
}

TEST_F(HostileReaders, APlayerHasItsShareBesideThreeWhoSeekAndWait) {
    meet(8, 250e3);
    std::vector<std::unique_ptr<Stream>> streams;
    for (int i = 0; i < 3; ++i) {
        streams.push_back(open_other());
        asio::co_spawn(engine, seek_about(*streams.back(), 20s, 10s, 10ms), fail_if_thrown);
    }
    start_player(5'000'000);

    until(30s, [] { return false; });

    expect_played();
}

// Somebody seeks now and then to what nobody has read: how long the first bytes take at most.
TEST_F(HostileReaders, WhoSeeksNowAndThenIsNotKeptWaitingByOneWhoSeeksThousandsOfTimesASecond) {
    meet(8, 250e3);
    auto const restless = open_other();
    bool over = false;
    asio::co_spawn(engine, seek_about(*restless, 8s, 250us, 250us), [&over](std::exception_ptr const& failure) {
        EXPECT_FALSE(failure);
        over = true;
    });
    auto const calm = leech->session->open(hash, FileIndex(2), ReaderProgram{});
    std::vector<double> waits;

    for (std::uint64_t at = 20 * kPiece; at > 0; at -= 5 * kPiece) {  // backwards: out of every read-ahead
        until(1s, [] { return false; });
        auto const begin = clock.now();
        auto const bytes = read(*calm, {at, at + kKernelRead});
        waits.push_back(seconds_of(clock.now() - begin));
        auto const expected = std::span(made.data).subspan(kFilmBytes + kOtherBytes + at);
        EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), expected.begin()));
        EXPECT_FALSE(over);
    }
    ASSERT_TRUE(until(10s, [&over] { return over; }));

    EXPECT_GE(seeks, 8000u);
    for (auto const wait : waits) EXPECT_LE(wait, 1.5) << "a piece takes half a second of the whole swarm";
}

TEST_F(HostileReaders, AFileReadByteByByteIsAskedForBlockByBlock) {
    meet(4, 500e3);
    auto const stream = open_other();
    constexpr std::uint64_t kBytes = 300'000;
    std::vector<std::byte> all;

    for (std::uint64_t at = 0; at < kBytes; ++at) {
        auto slices = stream->try_read({at, at + 1});
        if (!slices) slices = run(stream->read({at, at + 1}));
        all.push_back(slices->front().bytes().front());
    }

    EXPECT_TRUE(std::equal(all.begin(), all.end(), made.data.begin() + kFilmBytes));
    EXPECT_EQ(leech->session->statistics().received.wasted(), 0u);
    EXPECT_LE(leech->session->torrent(hash).have_bytes, 8u << 20) << "a slow reader has a small window";
}

TEST_F(HostileReaders, AThousandOpenFilesAreAnsweredAndLeaveNothingBehind) {
    meet(8, 1000e3);
    std::vector<std::unique_ptr<Stream>> streams;
    std::size_t answered = 0;
    for (std::uint64_t i = 0; i < kHandles; ++i) {
        auto& stream = *streams.emplace_back(open_other());
        auto const begin = kOtherBytes / kHandles * i;
        asio::co_spawn(engine, stream.read({begin, begin + 1000}), [&](std::exception_ptr const& failure, auto const&) {
            EXPECT_FALSE(failure);
            ++answered;
        });
    }
    until(1s, [] { return false; });
    EXPECT_EQ(leech->session->torrent(hash).readers, kHandles);
    EXPECT_LE(longest_queue(), limit::kRequestsOut);

    EXPECT_TRUE(until(30s, [&] { return answered == kHandles; })) << answered;
    streams.clear();

    expect_nothing_left();
}

TEST_F(HostileReaders, AThousandReadersKilledWhileTheyWaitLeaveNothingBehind) {
    meet(4, 500e3, Manner::silent);
    std::vector<std::unique_ptr<Stream>> streams;
    std::vector<std::unique_ptr<asio::cancellation_signal>> kills;
    std::size_t ended = 0;
    for (std::uint64_t i = 0; i < kHandles; ++i) {
        auto& stream = *streams.emplace_back(open_other());
        auto& kill = *kills.emplace_back(std::make_unique<asio::cancellation_signal>());
        auto const begin = kOtherBytes / kHandles * i;
        auto const on_end = [&](std::exception_ptr const& failure, auto const&) {
            EXPECT_TRUE(failure);
            ++ended;
        };
        asio::co_spawn(engine, stream.read({begin, begin + 1000}), asio::bind_cancellation_slot(kill.slot(), on_end));
    }
    until(5s, [] { return false; });
    EXPECT_EQ(leech->session->torrent(hash).blocked_reads, kHandles);

    for (auto const& kill : kills) kill->emit(asio::cancellation_type::terminal);
    EXPECT_TRUE(until(1s, [&] { return ended == kHandles; }));
    streams.clear();

    expect_nothing_left();
}

}  // namespace
}  // namespace rqfs::tests
