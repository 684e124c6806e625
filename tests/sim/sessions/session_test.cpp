#include "torrent/session.h"

#include "tests/sim/sessions/sessions.h"
#include "tests/sim/sessions/swarm_peer.h"
#include "tests/support/make_torrent.h"
#include "tests/support/simulated_network.h"
#include "tests/support/simulated_tracker.h"

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rqfs::tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace torrent;

TEST_F(Sessions, AMagnetIsReadAsFastAsItsOnlySeedSends) {
    auto const made = make_torrent({.bytes = 5'000'000});
    auto const hash = made.metainfo->info_hash();
    auto& seed = add_seed(made, "20.0.0.1:6881", {.up_bytes_per_second = 1'000'000});
    auto& leech = add("20.0.0.2:6881");
    run(leech.session->add(magnet_of(hash, seed.host), AddOptions{}));
    ASSERT_TRUE(until(10s, [&] { return leech.session->entry(hash)->metainfo != nullptr; }));
    auto const stream = leech.session->open(hash, FileIndex(0), ReaderProgram{});
    auto const begin = clock.now();

    auto const bytes = read(*stream, {0, made.data.size()});

    EXPECT_EQ(bytes, made.data);
    EXPECT_GE(seconds_of(clock.now() - begin), 4.8);
    EXPECT_LE(seconds_of(clock.now() - begin), 6.0);
}

TEST_F(Sessions, PiecesAreAskedForAtTheMomentInWhichAMagnetsMetadataIsComplete) {
    auto const made = make_torrent({.bytes = 5'000'000});
    auto const hash = made.metainfo->info_hash();
    auto& seed = add_seed(made, "20.0.0.1:6881", {.up_bytes_per_second = 20'000});
    auto& leech = add("20.0.0.2:6881");
    auto& host = network.add({Endpoint::parse("20.0.0.3:6881").value()});
    SwarmPeer generous(engine.get_executor(), clock, host, made, {.unchokes = true});
    run(leech.session->add(magnet_of(hash, seed.host), AddOptions{.download = true}));
    run(leech.session->connect(hash, "20.0.0.3", 6881));

    ASSERT_TRUE(until(1min, [&] { return leech.session->entry(hash)->metainfo != nullptr; }));

    auto const peers = leech.session->peers(hash);
    EXPECT_TRUE(std::ranges::any_of(peers, [](auto const& peer) { return peer.requests_in_flight > 0; }));
    run(generous.stop());
}

TEST_F(Sessions, APeerOfTheUsersThatIsNotReachedHasAReasonUntilItIsThere) {
    auto const made = make_torrent({.bytes = 100'000});
    auto const hash = made.metainfo->info_hash();
    auto& leech = add("20.0.0.2:6881");
    run(leech.session->add("magnet:?xt=urn:btih:" + hash.hex(), AddOptions{}));
    run(leech.session->connect(hash, "20.0.0.1", 6881));

    ASSERT_TRUE(until(1min, [&] { return !leech.session->unreached(hash).empty(); }));
    auto const unreached = leech.session->unreached(hash);
    add_seed(made, "20.0.0.1:6881", {});
    run(leech.session->connect(hash, "20.0.0.1", 6881));
    auto const dialled_anew = leech.session->unreached(hash);

    ASSERT_EQ(unreached.size(), 1u);
    EXPECT_EQ(unreached[0].endpoint, Endpoint::parse("20.0.0.1:6881").value());
    EXPECT_NE(unreached[0].message, "");
    EXPECT_TRUE(dialled_anew.empty()) << dialled_anew[0].message;
}

TEST_F(Sessions, WhereNoPeerCanBeTheUserIsToldSo) {
    auto const hash = make_torrent({}).metainfo->info_hash();
    auto& leech = add("20.0.0.2:6881");
    run(leech.session->add("magnet:?xt=urn:btih:" + hash.hex(), AddOptions{}));

    try {
        run(leech.session->connect(hash, "224.0.0.1", 6881));
        ADD_FAILURE() << "it would be dialled";
    } catch (boost::system::system_error const& e) {
        EXPECT_EQ(sentence(e), "at the address of 224.0.0.1:6881 no peer can be");
    }
}

TEST_F(Sessions, ASwarmFindsItselfByATrackerAndItsLeechesHelpEachOther) {
    SimulatedTracker tracker(network.add({Endpoint::parse("20.0.0.9:6969").value()}), clock);
    auto const made = make_torrent({.bytes = 20'000'000, .trackers = {tracker.url()}});
    auto const hash = made.metainfo->info_hash();
    add_seed(made, "20.0.0.1:6881", {.up_bytes_per_second = 500'000});
    std::vector<Member*> const leeches{&add("20.0.0.2:6881"), &add("20.0.0.3:6881")};
    for (auto* const leech : leeches) run(leech->session->add(made.file, AddOptions{.download = true}));
    auto const begin = clock.now();

    ASSERT_TRUE(until(5min, [&] {
        return std::ranges::all_of(
            leeches, [&](auto* leech) { return leech->session->torrent(hash).state == TorrentState::seeding; });
    }));

    EXPECT_LE(seconds_of(clock.now() - begin), 65) << "the seed alone would take 80 s to send everything twice";
    for (auto* const leech : leeches) {
        auto const stream = leech->session->open(hash, FileIndex(0), ReaderProgram{});
        EXPECT_EQ(read(*stream, {0, made.data.size()}), made.data);
        EXPECT_TRUE(until(10s, [&] { return tracker.announces(leech->host.endpoint(), 1) == 1; })) << "completed";
    }
}

TEST_F(Sessions, ThreeHoursOfAnIdleSwarmKeepItsPeersAndItsTrackerToldInTime) {
    SimulatedTracker tracker(network.add({Endpoint::parse("20.0.0.9:6969").value()}), clock, 1800);
    auto const made = make_torrent({.bytes = 5'000'000, .trackers = {tracker.url()}});
    auto const hash = made.metainfo->info_hash();
    add_seed(made, "20.0.0.1:6881");
    auto& leech = add("20.0.0.2:6881");
    run(leech.session->add(made.file, AddOptions{}));
    auto const stream = leech.session->open(hash, FileIndex(0), ReaderProgram{});
    read(*stream, {0, 1000});

    clock.run_for(engine, 3h);

    EXPECT_EQ(leech.session->torrent(hash).peers_connected, 1u);
    EXPECT_GE(tracker.announces(leech.host.endpoint(), 0), 5u);
    EXPECT_LE(tracker.announces(leech.host.endpoint(), 0), 7u);
    auto const begin = clock.now();
    EXPECT_EQ(read(*stream, {4'999'000, 5'000'000}).size(), 1000u);
    EXPECT_LE(seconds_of(clock.now() - begin), 1) << "a peer that is still there answers at once";
}

TEST_F(Sessions, NobodyStarvesBehindASeedWithFewSlots) {
    auto const made = make_torrent({.bytes = 50'000'000, .piece_bytes = 512 << 10});
    auto const hash = made.metainfo->info_hash();
    auto& seed =
        add_seed(made, "20.0.0.1:6881", {.up_bytes_per_second = 60'000}, [](Settings& s) { s.upload_slots = 2; });
    std::vector<Member*> leeches;
    for (int i = 2; i < 8; ++i) {
        // Each alone with the seed: they hear of nobody else.
        auto* const leech = leeches.emplace_back(&add("20.0.0." + std::to_string(i) + ":6881"));
        run(leech->session->add(made.file, AddOptions{.download = true}));
        run(leech->session->connect(hash, "20.0.0.1", 6881));
    }

    clock.run_for(engine, 10min);

    EXPECT_EQ(seed.session->torrent(hash).peers_connected, leeches.size());
    for (auto* const leech : leeches) EXPECT_GE(leech->session->torrent(hash).have_bytes, 1u << 20);
}

TEST_F(Sessions, AReadThatLostItsOnlySeedGoesOnWhenAnotherAppears) {
    SimulatedTracker tracker(network.add({Endpoint::parse("20.0.0.9:6969").value()}), clock);
    auto const made = make_torrent({.bytes = 10'000'000, .trackers = {tracker.url()}});
    auto const hash = made.metainfo->info_hash();
    auto& first = add_seed(made, "20.0.0.1:6881", {.up_bytes_per_second = 1'000'000});
    auto& leech = add("20.0.0.2:6881");
    run(leech.session->add(made.file, AddOptions{}));
    auto const stream = leech.session->open(hash, FileIndex(0), ReaderProgram{});
    std::vector<std::byte> bytes;
    asio::co_spawn(engine, stream->read(ByteRange{0, made.data.size()}),
                   [&](std::exception_ptr const& failure, std::vector<SharedBytes> const& slices) {
                       EXPECT_FALSE(failure);
                       for (auto const& slice : slices)
                           bytes.insert(bytes.end(), slice.bytes().begin(), slice.bytes().end());
                   });
    ASSERT_TRUE(until(1min, [&] { return leech.session->torrent(hash).have_bytes > 3'000'000; }));

    first.host.fall_silent(10min);
    clock.run_for(engine, 2min);
    EXPECT_TRUE(bytes.empty());
    add_seed(made, "20.0.0.3:6881", {.up_bytes_per_second = 1'000'000});

    EXPECT_TRUE(until(5min, [&] { return !bytes.empty(); })) << leech.session->torrent(hash).reason;
    EXPECT_EQ(bytes, made.data);
}

TEST_F(Sessions, WhenTheirSeedComesBackADownloadGoesOnByItself) {
    auto const made = make_torrent({.bytes = 10'000'000});
    auto const hash = made.metainfo->info_hash();
    auto& seed = add_seed(made, "20.0.0.1:6881", {.up_bytes_per_second = 1'000'000});
    auto& leech = add("20.0.0.2:6881");
    run(leech.session->add(made.file, AddOptions{.download = true}));
    run(leech.session->connect(hash, "20.0.0.1", 6881));
    ASSERT_TRUE(until(1min, [&] { return leech.session->torrent(hash).have_bytes > 3'000'000; }));

    seed.host.fall_silent(10min);
    EXPECT_FALSE(until(10min, [&] { return leech.session->torrent(hash).state == TorrentState::seeding; }));

    EXPECT_TRUE(until(10min, [&] { return leech.session->torrent(hash).state == TorrentState::seeding; }))
        << leech.session->torrent(hash).reason;
}

TEST_F(Sessions, StoppingTellsTheTrackerAndWaitsForNoSilentOneLongerThanPromised) {
    SimulatedTracker lively(network.add({Endpoint::parse("20.0.0.9:6969").value()}), clock);
    auto& dead_host = network.add({Endpoint::parse("20.0.0.10:6969").value()});
    SimulatedTracker dead(dead_host, clock);
    auto& seed = add_seed(make_torrent({.trackers = {lively.url()}, .seed = 1}), "20.0.0.1:6881");
    run(seed.session->add(make_torrent({.trackers = {dead.url()}, .seed = 2}).file, AddOptions{}));
    auto const own = seed.host.endpoint();
    ASSERT_TRUE(until(1min, [&] { return lively.announces(own, 2) == 1 && dead.announces(own, 2) == 1; }));
    clock.run_for(engine, 1s);  // until the answers are here
    dead_host.fall_silent(1h);
    auto const begin = clock.now();

    leave(seed);

    EXPECT_EQ(lively.announces(own, 3), 1u);
    EXPECT_LE(seconds_of(clock.now() - begin), 3);
}

asio::awaitable<void> serve_one(Acceptor& door, std::vector<std::byte> body) {
    auto const stream = co_await door.accept();
    std::vector<char> request(4096);
    auto const room = asio::buffer(request);
    co_await stream->read_some(room);
    auto const head = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    std::vector<asio::const_buffer> const parts{asio::buffer(head), asio::buffer(body)};
    std::span<asio::const_buffer const> const view(parts);
    co_await stream->write(view);
    char more = 0;
    auto const rest = asio::buffer(&more, 1);
    try {
        co_await stream->read_some(rest);
    } catch (boost::system::system_error const&) {
        // The client has everything and left.
    }
}

TEST_F(Sessions, ATorrentIsAddedFromAServerOfTheSimulatedNetwork) {
    auto const made = make_torrent({});
    network.name("files.example", Address::parse("20.0.0.8").value());
    auto& server = network.add({Endpoint::parse("20.0.0.8:80").value()});
    asio::co_spawn(engine, serve_one(*server.acceptors().front(), made.file),
                   [](std::exception_ptr const& failure) { EXPECT_FALSE(failure); });
    auto& leech = add("20.0.0.2:6881");

    auto const added = run(leech.session->add("http://files.example/film.torrent", AddOptions{}));

    EXPECT_EQ(added.info_hash, made.metainfo->info_hash());
}

constexpr std::uint64_t kKernelRead = 128 * 1024;

TEST_F(Sessions, ReadsAreCountedByWhatTheyWaitedFor) {
    auto const made = make_torrent({.bytes = 40'000'000});
    auto const hash = made.metainfo->info_hash();
    auto& seed = add_seed(made, "20.0.0.1:6881", {.up_bytes_per_second = 1'000'000});
    auto& leech = add("20.0.0.2:6881");
    run(leech.session->add(magnet_of(hash, seed.host), AddOptions{}));
    ASSERT_TRUE(until(10s, [&] { return leech.session->entry(hash)->metainfo != nullptr; }));
    auto const figures = [&] { return leech.session->statistics(); };
    auto const begin = clock.now();
    auto stream = leech.session->open(hash, FileIndex(0), ReaderProgram{});

    read(*stream, {0, kKernelRead});
    auto const opened = figures();
    EXPECT_EQ(opened.open_to_first_byte.count(), 1u);
    EXPECT_GE(opened.open_to_first_byte.sum(), 100ms) << "that is what the link needs";
    EXPECT_LE(opened.open_to_first_byte.sum(), clock.now() - begin);
    EXPECT_EQ(opened.seek_to_first_byte.count(), 0u);

    std::uint64_t const far = 20'000'000;
    auto const sought_at = clock.now();
    read(*stream, {far, far + kKernelRead});
    auto const sought = figures();
    EXPECT_EQ(sought.seek_to_first_byte.count(), 1u);
    EXPECT_GE(sought.seek_to_first_byte.sum(), 100ms);
    EXPECT_LE(sought.seek_to_first_byte.sum(), clock.now() - sought_at);
    EXPECT_EQ(sought.stalled.count(), 0u) << "neither waited where it went on";

    auto const read_on_at = clock.now();
    for (auto at = far + kKernelRead; at < far + 5'000'000; at += kKernelRead) read(*stream, {at, at + kKernelRead});
    auto const read_on = figures();
    EXPECT_GE(read_on.stalled.count(), 1u) << "it reads faster than the link";
    EXPECT_GE(read_on.stalled.sum(), 2s);
    EXPECT_LE(read_on.stalled.sum(), clock.now() - read_on_at);
    EXPECT_EQ(read_on.open_to_first_byte, opened.open_to_first_byte);
    EXPECT_EQ(read_on.seek_to_first_byte, sought.seek_to_first_byte);
}

TEST_F(Sessions, WhatWasFetchedAheadIsUnreadUntilSomebodyReadsIt) {
    auto const made = make_torrent({.bytes = 40'000'000});
    auto const hash = made.metainfo->info_hash();
    auto& seed = add_seed(made, "20.0.0.1:6881", {.up_bytes_per_second = 4'000'000});
    auto& leech = add("20.0.0.2:6881");
    run(leech.session->add(magnet_of(hash, seed.host), AddOptions{}));
    ASSERT_TRUE(until(10s, [&] { return leech.session->entry(hash)->metainfo != nullptr; }));
    auto stream = leech.session->open(hash, FileIndex(0), ReaderProgram{});
    read(*stream, {0, kKernelRead});
    until(20s, [] { return false; });

    auto const figures = leech.session->statistics();
    auto const piece = made.metainfo->pieces().piece_bytes();
    auto const read_pieces = (kKernelRead + piece - 1) / piece * piece;
    EXPECT_GT(figures.unread_read_ahead_bytes, 0u);
    EXPECT_EQ(figures.unread_read_ahead_bytes + read_pieces, leech.session->torrent(hash).have_bytes);
    EXPECT_GE(figures.received.wanted, leech.session->torrent(hash).have_bytes);
    EXPECT_EQ(figures.received.wasted(), leech.session->torrent(hash).wasted_bytes);

    stream.reset();
    stream = leech.session->open(hash, FileIndex(0), ReaderProgram{});
    EXPECT_EQ(read(*stream, {0, made.data.size()}), made.data);
    EXPECT_EQ(leech.session->statistics().unread_read_ahead_bytes, 0u);
    EXPECT_EQ(leech.session->statistics().open_to_first_byte.count(), 2u);

    run(leech.session->remove(hash, false));
    EXPECT_GE(leech.session->statistics().received.wanted, made.data.size()) << "a torrent that left stays counted";
}

TEST_F(Sessions, AReadThatWaitsInVainIsAmongTheStalls) {
    auto const made = make_torrent({.bytes = 1'000'000});
    auto const hash = made.metainfo->info_hash();
    auto& lonely = add("20.0.0.1:6881");
    run(lonely.session->add(made.file, AddOptions{}));
    auto const stream = lonely.session->open(hash, FileIndex(0), ReaderProgram{});
    asio::cancellation_signal give_up;
    asio::co_spawn(engine, stream->read({0, 1000}), asio::bind_cancellation_slot(give_up.slot(), [](auto const&...) {}));
    until(3s, [] { return false; });
    EXPECT_EQ(lonely.session->statistics().stalled.count(), 0u) << "it still waits";

    give_up.emit(asio::cancellation_type::terminal);

    EXPECT_TRUE(until(1s, [&] { return lonely.session->statistics().stalled.count() == 1; }));
    EXPECT_GE(lonely.session->statistics().stalled.sum(), 2900ms);
    EXPECT_EQ(lonely.session->statistics().open_to_first_byte.count(), 0u);
}

TEST_F(Sessions, ATorrentThatNobodyReadsKeepsTenConnections) {
    auto const made = make_torrent({.bytes = 1'000'000});
    auto const hash = made.metainfo->info_hash();
    auto& idle = add("20.0.0.1:6881");
    run(idle.session->add(made.file, AddOptions{}));
    auto const stream = idle.session->open(hash, FileIndex(0), ReaderProgram{});
    asio::cancellation_signal give_up;
    asio::co_spawn(engine, stream->read({0, 1000}), asio::bind_cancellation_slot(give_up.slot(), [](auto const&...) {}));
    for (int i = 0; i < 30; ++i) {
        auto& other = add("20.0.1." + std::to_string(i + 1) + ":6881");
        run(other.session->add(made.file, AddOptions{}));
        run(other.session->connect(hash, "20.0.0.1", 6881));
    }
    ASSERT_TRUE(until(5s, [&] { return idle.session->torrent(hash).peers_connected == 30; }));

    give_up.emit(asio::cancellation_type::terminal);

    EXPECT_TRUE(until(150s, [&] { return idle.session->torrent(hash).peers_connected <= 10; }));

    EXPECT_EQ(idle.session->torrent(hash).peers_connected, 10u);
}

TEST_F(Sessions, APeerThatSendsBadDataIsBannedAndNeitherDialledNorLetIn) {
    auto const made = make_torrent({.bytes = 8'000'000});
    auto const hash = made.metainfo->info_hash();
    auto lies = made;
    std::fill(lies.data.begin(), lies.data.end(), std::byte{7});
    auto& liar = add_seed(lies, "20.0.2.1:6881");
    auto& honest = add_seed(made, "20.0.3.1:6881", {.up_bytes_per_second = 50'000});
    auto& leech = add("20.0.0.1:6881");
    run(leech.session->add(magnet_of(hash, liar.host) + "&x.pe=" + honest.host.endpoint().text(), AddOptions{.download = true}));
    auto const has_liar = [&] {
        auto const peers = leech.session->peers(hash);
        return std::any_of(peers.begin(), peers.end(), [&](auto const& peer) { return peer.endpoint.address == liar.host.endpoint().address; });
    };

    ASSERT_TRUE(until(60s, [&] { return leech.session->torrent(hash).wasted_bytes > 0 && !has_liar(); }));
    run(liar.session->connect(hash, "20.0.0.1", 6881));

    EXPECT_FALSE(until(60s, has_liar));
    EXPECT_EQ(leech.session->torrent(hash).peers_connected, 1u) << "the honest one stays";
    EXPECT_FALSE(leech.session->torrent(hash).state == TorrentState::seeding) << "there was still something to want";
    EXPECT_TRUE(until(10min, [&] { return leech.session->torrent(hash).state == TorrentState::seeding; }));
}

}  // namespace
}  // namespace rqfs::tests
