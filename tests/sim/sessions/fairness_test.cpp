#include "tests/sim/sessions/film_player.h"
#include "tests/sim/sessions/sessions.h"
#include "tests/support/make_torrent.h"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace torrent;

constexpr double kFilm = 250e3;  // bytes a second, of each of two films
constexpr std::uint64_t kFileBytes = 14'000'000;

// Reads that are still under way when the sessions stop are told so.
void ended(std::exception_ptr const&) {}

// Two players and a copy share one way in, of one torrent or of two: then what is copied is another's than the films.
class Fairness : public Sessions, public testing::WithParamInterface<bool> {
protected:
    struct Shared {
        MadeTorrent made;
        InfoHash hash;
    };

    void meet(std::uint64_t down_bytes_per_second) {
        leech = &add("20.0.0.1:6881", {.down_bytes_per_second = down_bytes_per_second});
        torrents.push_back(share({{"a.mkv", kFileBytes}, {"b.mkv", kFileBytes}, {"c.mkv", kFileBytes}}));
        if (GetParam()) torrents.push_back(share({{"c.mkv", kFileBytes}}));
    }
    // By four seeds, each of them as fast as the way in.
    Shared share(std::vector<std::pair<std::string, std::uint64_t>> const& files) {
        Shared shared;
        TorrentOptions options;
        options.name = "torrent" + std::to_string(torrents.size());
        options.files = files;
        options.piece_bytes = 256 << 10;
        shared.made = make_torrent(options);
        shared.hash = shared.made.metainfo->info_hash();
        run(leech->session->add(shared.made.file, AddOptions{}));
        for (int i = 0; i < 4; ++i) {
            auto const at = "20." + std::to_string(torrents.size() + 1) + "." + std::to_string(i) + ".1:6881";
            auto const& seed = add_seed(shared.made, at, {.up_bytes_per_second = 600'000});
            auto const to = seed.host.endpoint();
            run(leech->session->connect(shared.hash, to.address.text(), to.port));
        }
        return shared;
    }
    static MediaHints film_hints() {
        MediaHints hints;
        hints.duration = std::chrono::duration_cast<std::chrono::milliseconds>(kFileBytes / kFilm * 1s);
        return hints;
    }
    FilmPlayer& play(std::uint32_t file, std::uint64_t bytes) {
        auto const& shared = torrents.front();
        auto const begin = file * kFileBytes;
        FilmPlayer::Film const film{.bytes_per_second = kFilm, .part = {0, bytes}, .first = 2s};
        auto stream = leech->session->open(shared.hash, FileIndex(file), ReaderProgram{"mpv", 1});
        stream->hint(film_hints());
        auto& player = *players.emplace_back(std::make_unique<FilmPlayer>(
            clock, std::move(stream), std::span(shared.made.data).subspan(begin, kFileBytes), film));
        asio::co_spawn(engine, player.play(), ended);
        return player;
    }
    void copy(std::string const& program = "cp") {
        auto const file = GetParam() ? FileIndex(0) : FileIndex(2);
        copied_stream = leech->session->open(torrents.back().hash, file, ReaderProgram{program, 2});
        copied_stream->hint(film_hints());
        asio::co_spawn(engine, read_all(*copied_stream), ended);
    }
    asio::awaitable<void> read_all(Stream& stream) {
        constexpr std::uint64_t kKernelRead = 128u << 10;
        while (copied < kFileBytes) {
            ByteRange const range{copied, std::min(copied + kKernelRead, kFileBytes)};
            auto slices = stream.try_read(range);
            if (!slices) slices = co_await stream.read(range);
            copied = range.end;
        }
    }
    void TearDown() override {
        for (auto const& member : members) run(member->session->stop());
        members.clear();
        players.clear();
        copied_stream.reset();
    }

    Member* leech = nullptr;
    std::vector<Shared> torrents;
    std::vector<std::unique_ptr<FilmPlayer>> players;
    std::unique_ptr<Stream> copied_stream;
    std::uint64_t copied = 0;
};

TEST_P(Fairness, TwoPlayersDoNotStallBesideACopyWhichGetsItsShare) {
    constexpr std::uint64_t kDown = 800'000;  // 1.6 times both films
    meet(kDown);
    copy();
    auto const& first = play(0, 7'500'000);
    auto const& second = play(1, 7'500'000);

    ASSERT_TRUE(until(1min, [&] { return first.ended() && second.ended(); }));

    EXPECT_EQ(seconds_of(first.stalled()), 0);
    EXPECT_EQ(seconds_of(second.stalled()), 0);
    EXPECT_GE(copied, 800'000u);
}

TEST_P(Fairness, APlayerThatComesToABusyCopyStartsAsIfItWereAlone) {
    meet(800'000);
    copy();
    until(10s, [] { return false; });
    auto const before = copied;

    auto const& player = play(0, 4'000'000);
    ASSERT_TRUE(until(1min, [&] { return player.ended(); }));

    EXPECT_LE(seconds_of(player.start()), 3);
    EXPECT_EQ(seconds_of(player.stalled()), 0);
    EXPECT_GT(copied, before);
}

TEST_P(Fairness, ACopyByAProgramThatNobodyKnowsGivesWayToAPlayerForGood) {
    meet(350'000);
    copy("unheard-of");
    until(32s, [] { return false; });
    auto const before = copied;

    auto const& player = play(0, 4'000'000);
    ASSERT_TRUE(until(1min, [&] { return player.ended(); }));

    EXPECT_EQ(seconds_of(player.stalled()), 0);
    EXPECT_GT(copied, before);
}

TEST_P(Fairness, TwoPlayersShareWhatIsTooLittleForBothHoweverLongAndACopyGetsLittleOfIt) {
    meet(400'000);
    auto const& first = play(0, kFileBytes);
    auto const& second = play(1, kFileBytes);
    copy();

    std::uint64_t played_before = 0, copied_before = 0;
    for (int half_minute = 0; half_minute < 2; ++half_minute) {  // who always waits might be a copier after the first
        until(30s, [] { return false; });

        auto const played = first.read_bytes() + second.read_bytes();
        EXPECT_LE(first.read_bytes(), second.read_bytes() * 3 / 2);
        EXPECT_LE(second.read_bytes(), first.read_bytes() * 3 / 2);
        EXPECT_GE(played - played_before, 4 * (copied - copied_before));
        EXPECT_GE(copied - copied_before, (played - played_before) / 20) << "a copy is never starved";
        played_before = played;
        copied_before = copied;
    }
}

INSTANTIATE_TEST_SUITE_P(OverOneTorrentAndTwo, Fairness, testing::Bool(),
                         [](auto const& torrent_count) { return std::string(torrent_count.param ? "Two" : "One"); });

}  // namespace
}  // namespace rqfs::tests
