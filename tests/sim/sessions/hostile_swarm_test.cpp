#include "tests/sim/sessions/film_player.h"
#include "tests/sim/sessions/sessions.h"
#include "tests/sim/sessions/swarm_peer.h"
#include "tests/support/make_torrent.h"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace torrent;

constexpr double kFilm = 250e3;             // bytes a second
constexpr std::uint64_t kHonest = 350'000;  // 1.4 times that
constexpr std::uint64_t kFilmBytes = 28'000'000;
constexpr ByteRange kPlayed{0, 15'000'000};  // a minute: at its end there is still something to want of everybody

// A film is played from one honest seed that is just fast enough, among many that misbehave.
class HostileSwarms : public Sessions {
protected:
    void SetUp() override {
        made = make_torrent({.bytes = kFilmBytes, .piece_bytes = 128 << 10});
        hash = made.metainfo->info_hash();
        leech = &add("20.0.0.1:6881");
        run(leech->session->add(made.file, AddOptions{}));
    }
    void TearDown() override {
        player.reset();
        for (auto const& peer : crowd) run(peer->stop());
        Sessions::TearDown();
    }

    // The honest one is dialled in their middle.
    void meet(std::vector<Manner> const& manners, int count = 16) {
        for (int i = 0; i < count; ++i) {
            auto const manner = manners[static_cast<std::size_t>(i) % manners.size()];
            if (i == count / 2) dial(add_seed(made, kHonestAt, {.up_bytes_per_second = kHonest}).host.endpoint());
            auto& host = network.add({Endpoint::parse("20.1." + std::to_string(i) + ".1:6881").value()});
            SwarmPeer::Options const options{manner, 200e3, i % 2 == 0};
            crowd.push_back(std::make_unique<SwarmPeer>(engine.get_executor(), clock, host, made, options));
            dial(host.endpoint());
        }
    }
    void dial(Endpoint const& peer) { run(leech->session->connect(hash, peer.address.text(), peer.port)); }
    void play(Duration limit) {
        player = std::make_unique<FilmPlayer>(clock, leech->session->open(hash, FileIndex(0), ReaderProgram{}),
                                              made.data, FilmPlayer::Film{.bytes_per_second = kFilm, .part = kPlayed});
        asio::co_spawn(engine, player->play(), [](std::exception_ptr const& failure) { EXPECT_FALSE(failure); });
        EXPECT_TRUE(until(limit, [&] { return player->ended(); })) << player->read_bytes() << " bytes were read";
    }
    std::optional<PeerStatus> honest() const {
        for (auto const& peer : leech->session->peers(hash))
            if (peer.endpoint == Endpoint::parse(kHonestAt).value()) return peer;
        return std::nullopt;
    }
    std::size_t connected_crowd() const { return leech->session->torrent(hash).peers_connected - (honest() ? 1u : 0u); }
    void expect_played() const {
        EXPECT_TRUE(player->correct());
        EXPECT_LE(seconds_of(player->start()), 10);
        EXPECT_EQ(seconds_of(player->stalled()), 0);
        ASSERT_TRUE(honest()) << "the honest one was banned";
        EXPECT_FALSE(honest()->suspected);
    }

    static constexpr char const* kHonestAt = "20.0.9.1:6881";
    MadeTorrent made;
    InfoHash hash;
    Member* leech = nullptr;
    std::vector<std::unique_ptr<SwarmPeer>> crowd;
    std::unique_ptr<FilmPlayer> player;
};

TEST_F(HostileSwarms, APeerThatHangsUpAtOnceIsDialledEverMoreSeldomWhileAMagnetWaits) {
    auto const other = make_torrent({.bytes = 100'000});
    auto& host = network.add({Endpoint::parse("20.1.0.1:6881").value()});
    crowd.push_back(std::make_unique<SwarmPeer>(engine.get_executor(), clock, host, other,
                                                SwarmPeer::Options{.manner = Manner::leaving}));

    run(leech->session->add(magnet_of(other.metainfo->info_hash(), host), AddOptions{}));
    clock.run_for(engine, 10min);

    EXPECT_GE(crowd.front()->connections(), 6u);
    EXPECT_LE(crowd.front()->connections(), 8u) << "after 5, 10, 20 ... 320 s";
}

TEST_F(HostileSwarms, AFilmPlaysOnAmongPeersThatAnswerNothing) {
    meet({Manner::silent});

    play(3min);

    expect_played();
}

TEST_F(HostileSwarms, AFilmPlaysOnAmongPeersThatSendAByteASecond) {
    meet({Manner::trickling});

    play(3min);

    expect_played();
}

TEST_F(HostileSwarms, AFilmPlaysOnAmongPeersThatChokeAfterEveryBlock) {
    meet({Manner::choking});

    play(3min);

    expect_played();
    EXPECT_EQ(connected_crowd(), crowd.size()) << "that is their right";
}

TEST_F(HostileSwarms, AFilmPlaysOnAmongPeersThatSayTheyHaveItAndRejectEveryRequest) {
    meet({Manner::rejecting});

    play(3min);

    expect_played();
}

TEST_F(HostileSwarms, AFilmPlaysOnAmongPeersThatSendBadData) {
    meet({Manner::spoiling});

    play(3min);

    expect_played();
    EXPECT_EQ(connected_crowd(), 0u) << "all of them are known and banned";
}

TEST_F(HostileSwarms, AFilmPlaysOnAmongPeersThatSpoilOneBlockInEight) {
    meet({Manner::spoiling_some});

    play(3min);

    expect_played();
}

TEST_F(HostileSwarms, AFilmPlaysOnAmongPeersOfEveryKind) {
    meet({Manner::silent, Manner::trickling, Manner::choking, Manner::rejecting, Manner::spoiling}, 20);

    play(3min);

    expect_played();
}

}  // namespace
}  // namespace rqfs::tests
