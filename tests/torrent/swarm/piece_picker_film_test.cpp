#include "tests/torrent/swarm/picker_fixture.h"

#include <algorithm>
#include <cstdint>

namespace rqfs::torrent {
namespace {

// A player that waits for an index and then plays: what of the film's next piece is asked for before the index.
class PiecePickerFilm : public PickerFixture {
protected:
    static constexpr std::uint32_t kBlocks = 64;

    // Blocks of the film's piece that were asked for before the last one of the index.
    std::uint32_t film_before_index(double bytes_a_second, bool index_is_known_for_one = true, double film_in = 0.7) {
        make(64, kBlocks);
        PeerHandle const peer = seed_peer();
        learn({{peer, bytes_a_second}});
        film = missing();
        index = missing(film + 8);
        Wish first = wish(index, 0.5);
        first.index = index_is_known_for_one;
        wishes({first, wish(film, film_in), wish(missing(film + 1), film_in + 0.8)});
        std::uint32_t of_film = 0;
        std::uint32_t of_index = 0;
        for (int turn = 0; turn < 1000 && of_index < kBlocks; ++turn) {
            for (Order const& order : requests()) {
                if (of_index == kBlocks) break;
                of_film += order.block.piece.value() == film;
                of_index += order.block.piece.value() == index;
            }
            pass(std::chrono::microseconds(static_cast<std::int64_t>(1e6 * kBlockBytes / bytes_a_second)));
            arrive_next(peer);
        }
        EXPECT_EQ(of_index, kBlocks);
        return of_film;
    }

    std::uint32_t film = 0;
    std::uint32_t index = 0;
};

TEST_F(PiecePickerFilm, WhatWouldMissItsTimeAfterTheIndexComesBeforeIt) {
    // After the index 0.1 s is left for a piece of a mebibyte: 150 KB of it come then, and no more than 0.5 s' worth
    // before.
    std::uint32_t const before = film_before_index(1.5e6);

    EXPECT_GE(before, 36u);
    EXPECT_LE(before, 47u);
}

TEST_F(PiecePickerFilm, WhereItComesInTimeTheIndexIsFirst) { EXPECT_EQ(film_before_index(6e6, true, 0.9), 0u); }

TEST_F(PiecePickerFilm, APieceThatIsNoIndexIsNotHeldUp) { EXPECT_EQ(film_before_index(1.5e6, false), 0u); }

TEST_F(PiecePickerFilm, AnIndexWaitsNoLongerForItHoweverSlowTheSwarm) {
    std::uint32_t const before = film_before_index(500e3);

    EXPECT_GE(before, 10u);
    EXPECT_LE(before, 17u) << "0.5 s and what is being sent";
}

TEST_F(PiecePickerFilm, WhatAnotherReaderPlaysIsNoIndex) {
    make(64, kBlocks);
    PeerHandle const peer = seed_peer();
    learn({{peer, 1.5e6}});
    std::uint32_t const both = missing();
    std::uint32_t const behind = missing(both + 1);
    Wish first = wish(both, 0.5);
    first.index = true;
    wishes({first}, ReaderId(1));

    wishes({wish(both, 0.5), wish(behind, 0.7)}, ReaderId(2));

    auto const orders = requests();
    ASSERT_FALSE(orders.empty());
    EXPECT_TRUE(std::ranges::all_of(orders, [both](Order const& order) { return order.block.piece.value() == both; }));
}

}  // namespace
}  // namespace rqfs::torrent
