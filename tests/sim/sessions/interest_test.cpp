#include "tests/sim/sessions/film_player.h"
#include "tests/sim/sessions/sessions.h"
#include "tests/sim/sessions/swarm_peer.h"
#include "tests/support/make_torrent.h"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>

#include <chrono>
#include <exception>
#include <memory>

namespace rqfs::tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace torrent;

// A film that one fast seed has; its window is full most of the time.
class Interest : public Sessions {
protected:
    void SetUp() override {
        made = make_torrent({.bytes = 40'000'000, .piece_bytes = 128 << 10});
        leech = &add("20.0.0.1:6881");
        run(leech->session->add(made.file, AddOptions{}));
        auto& host = network.add({Endpoint::parse("20.1.0.1:6881").value()});
        seed = std::make_unique<SwarmPeer>(engine.get_executor(), clock, host, made,
                                           SwarmPeer::Options{.bytes_per_second = 5e6});
        run(leech->session->connect(hash(), host.endpoint().address.text(), host.endpoint().port));
        player = std::make_unique<FilmPlayer>(clock, leech->session->open(hash(), FileIndex(0), ReaderProgram{}),
                                              made.data, FilmPlayer::Film{.bytes_per_second = 200e3, .part = {0, 12'000'000}});
        asio::co_spawn(engine, player->play(), [](std::exception_ptr const& failure) { EXPECT_FALSE(failure); });
    }
    void TearDown() override {
        player.reset();
        run(seed->stop());
        Sessions::TearDown();
    }
    InfoHash hash() const { return made.metainfo->info_hash(); }

    MadeTorrent made;
    Member* leech = nullptr;
    std::unique_ptr<SwarmPeer> seed;
    std::unique_ptr<FilmPlayer> player;
};

TEST_F(Interest, LastsWhileAFilmIsPlayedSoThatNoSlotIsLost) {
    ASSERT_TRUE(until(3min, [&] { return player->ended(); }));

    EXPECT_LT(leech->session->progress(hash()), 1);
    EXPECT_EQ(seed->heard().losses_of_interest, 0u);
}

TEST_F(Interest, EndsSoonAfterTheLastReaderHasLeft) {
    ASSERT_TRUE(until(3min, [&] { return player->ended(); }));

    player.reset();

    EXPECT_TRUE(until(15s, [&] { return seed->heard().losses_of_interest == 1; }));
}

}  // namespace
}  // namespace rqfs::tests
