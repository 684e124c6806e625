#include "tests/sim/sessions/household.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kFileBytes = 14'000'000;

// Two players and a copy share one way in, of one torrent or of two: then what is copied is another's than the films.
class Fairness : public Household, public testing::WithParamInterface<bool> {
protected:
    // Each torrent by four seeds, each of them as fast as the way in.
    void meet(std::uint64_t down_bytes_per_second) {
        Household::meet(20ms, down_bytes_per_second);
        share({.bytes = kFileBytes, .files = 3});
        if (GetParam()) share({.bytes = kFileBytes});
    }
    FilmPlayer& play(std::uint32_t file, std::uint64_t bytes) { return Household::play(0, file, bytes); }
    Copy& copy(std::string const& program = "cp", double film = 0) {
        return GetParam() ? Household::copy(1, 0, program, film) : Household::copy(0, 2, program, film);
    }
};

TEST_P(Fairness, TwoPlayersDoNotStallBesideACopyWhichGetsItsShare) {
    constexpr std::uint64_t kDown = 800'000;  // 1.6 times both films
    meet(kDown);
    auto const& copied = copy();
    auto const& first = play(0, 7'500'000);
    auto const& second = play(1, 7'500'000);

    ASSERT_TRUE(until(1min, [&] { return first.ended() && second.ended(); }));

    EXPECT_EQ(seconds_of(first.stalled()), 0);
    EXPECT_EQ(seconds_of(second.stalled()), 0);
    EXPECT_GE(copied.bytes, 800'000u);
}

TEST_P(Fairness, APlayerThatComesToABusyCopyStartsAsIfItWereAlone) {
    meet(800'000);
    auto const& copied = copy();
    pass(10s);
    auto const before = copied.bytes;

    auto const& player = play(0, 4'000'000);
    ASSERT_TRUE(until(1min, [&] { return player.ended(); }));

    EXPECT_LE(seconds_of(player.start()), 3);
    EXPECT_EQ(seconds_of(player.stalled()), 0);
    EXPECT_GT(copied.bytes, before);
}

TEST_P(Fairness, ACopyByAProgramThatNobodyKnowsGivesWayToAPlayerForGood) {
    meet(350'000);
    auto const& copied = copy("unheard-of");
    pass(32s);
    auto const before = copied.bytes;

    auto const& player = play(0, 4'000'000);
    ASSERT_TRUE(until(1min, [&] { return player.ended(); }));

    EXPECT_EQ(seconds_of(player.stalled()), 0);
    EXPECT_GT(copied.bytes, before);
}

// Half of the way in would be too little for the player, and is four times what the other film plays.
TEST_P(Fairness, ACopyByAProgramThatNobodyKnowsBegunWithAPlayerGivesWayOnceItIsAheadOfItsFilm) {
    meet(420'000);  // 1.4 times both films
    auto const& player = play(0, kFileBytes);
    auto const& copied = copy("unheard-of", 50e3);

    ASSERT_TRUE(until(2min, [&] { return player.ended(); }));

    EXPECT_LE(seconds_of(player.stalled()), 1);
    EXPECT_GE(copied.bytes, 50 * 50'000u) << "it has its film's rate, too";
}

TEST_P(Fairness, TwoPlayersShareWhatIsTooLittleForBothHoweverLongAndACopyGetsLittleOfIt) {
    meet(400'000);
    auto const& first = play(0, kFileBytes);
    auto const& second = play(1, kFileBytes);
    auto const& copied = copy();

    std::uint64_t played_before = 0, copied_before = 0;
    for (int half_minute = 0; half_minute < 2; ++half_minute) {  // who always waits might be a copier after the first
        pass(30s);

        auto const played = first.read_bytes() + second.read_bytes();
        EXPECT_LE(first.read_bytes(), second.read_bytes() * 3 / 2);
        EXPECT_LE(second.read_bytes(), first.read_bytes() * 3 / 2);
        EXPECT_GE(played - played_before, 4 * (copied.bytes - copied_before));
        EXPECT_GE(copied.bytes - copied_before, (played - played_before) / 20) << "a copy is never starved";
        played_before = played;
        copied_before = copied.bytes;
    }
}

INSTANTIATE_TEST_SUITE_P(OverOneTorrentAndTwo, Fairness, testing::Bool(),
                         [](auto const& torrent_count) { return std::string(torrent_count.param ? "Two" : "One"); });

}  // namespace
}  // namespace rqfs::tests
