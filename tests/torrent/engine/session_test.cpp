#include "tests/torrent/engine/two_sessions.h"

#include "tests/support/fake_tracker.h"
#include "torrent/timeout.h"

#include <algorithm>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

std::string magnet_of(InfoHash const& info_hash, std::uint16_t port) {
    return "magnet:?xt=urn:btih:" + info_hash.hex() + "&dn=film&x.pe=127.0.0.1:" + std::to_string(port);
}

TEST_F(TwoSessions, AReadFetchesWhatItNeeds) {
    auto const made = tests::make_torrent({.bytes = 3'000'000});
    auto const hash = made.metainfo->info_hash();
    start(made);
    run(leech.session->add(made.file, AddOptions{}));
    connect(hash);
    auto const stream = leech.session->open(hash, FileIndex(0), ReaderProgram{});

    auto const bytes = read(*stream, {1'000'000, 1'200'000});

    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), made.data.begin() + 1'000'000, made.data.begin() + 1'200'000));
}

TEST_F(TwoSessions, NothingIsFetchedThatNobodyReads) {
    auto const made = tests::make_torrent({.bytes = 3'000'000});
    auto const hash = made.metainfo->info_hash();
    start(made);
    run(leech.session->add(made.file, AddOptions{}));
    connect(hash);

    ASSERT_TRUE(until([&] { return leech.session->torrent(hash).peers_connected == 1; }));
    until([&, end = std::chrono::steady_clock::now() + 500ms] { return std::chrono::steady_clock::now() > end; });

    EXPECT_EQ(leech.session->torrent(hash).have_bytes, 0u);
    EXPECT_EQ(leech.session->torrent(hash).state, TorrentState::idle);
}

TEST_F(TwoSessions, AReaderThatComesBackLaterIsServedAgain) {
    auto const made = tests::make_torrent({.bytes = 20'000'000});
    auto const hash = made.metainfo->info_hash();
    start(made);
    run(leech.session->add(made.file, AddOptions{}));
    connect(hash);
    auto stream = leech.session->open(hash, FileIndex(0), ReaderProgram{});
    read(*stream, {0, 1000});
    stream.reset();
    ASSERT_TRUE(until([&] { return !leech.session->peers(hash).front().interesting; }));

    stream = leech.session->open(hash, FileIndex(0), ReaderProgram{});
    auto const bytes = read(*stream, {19'000'000, 19'001'000});

    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), made.data.begin() + 19'000'000));
}

TEST_F(TwoSessions, DownloadFetchesEverythingAndTheSeedSeesItLeave) {
    auto const made = tests::make_torrent({.bytes = 5'000'001});
    auto const hash = made.metainfo->info_hash();
    start(made);
    run(leech.session->add(made.file, AddOptions{.download = true}));
    connect(hash);

    ASSERT_TRUE(until([&] { return leech.session->torrent(hash).state == TorrentState::seeding; }));

    auto const stream = leech.session->open(hash, FileIndex(0), ReaderProgram{});
    EXPECT_EQ(read(*stream, {0, made.data.size()}), made.data);
    EXPECT_TRUE(until([&] { return leech.session->torrent(hash).peers_connected == 0; }));
}

TEST_F(TwoSessions, AMagnetBringsItsMetadataThenItsData) {
    auto const made = tests::make_torrent({.files = {{"a.bin", 100'000}, {"b.bin", 0}, {"c.bin", 300'001}}});
    auto const hash = made.metainfo->info_hash();
    start(made);
    run(leech.session->add(magnet_of(hash, seed.port()), AddOptions{}));

    ASSERT_TRUE(until([&] { return leech.session->entry(hash)->metainfo != nullptr; })) << leech.session->torrent(hash).reason;
    auto const stream = leech.session->open(hash, FileIndex(2), ReaderProgram{});
    auto const bytes = read(*stream, {0, 300'001});

    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), made.data.begin() + 100'000, made.data.end()));
    EXPECT_FALSE(leech.store.records.at(hash).info.empty()) << "the metadata is kept for the next start";
}

TEST_F(TwoSessions, ReadsOfAPausedTorrentFailAtOnceUnlessTheDataIsThere) {
    auto const made = tests::make_torrent({.bytes = 1'000'000});
    auto const hash = made.metainfo->info_hash();
    start(made);
    run(leech.session->add(made.file, AddOptions{}));
    connect(hash);
    auto const stream = leech.session->open(hash, FileIndex(0), ReaderProgram{});
    read(*stream, {0, 1000});
    run(leech.session->pause(hash));
    leech.store.lose(hash, PieceIndex(15));

    EXPECT_EQ(read(*stream, {0, 1000}).size(), 1000u);
    try {
        read(*stream, {999'000, 1'000'000});
        FAIL() << "a read of missing data of a paused torrent returned";
    } catch (boost::system::system_error const& e) {
        EXPECT_EQ(e.code(), Errc::paused);
    }
    EXPECT_EQ(leech.session->torrent(hash).state, TorrentState::paused);
    EXPECT_EQ(leech.session->torrent(hash).peers_connected, 0u);
}

TEST_F(TwoSessions, APausedTorrentGoesOnWhereItWasWhenResumed) {
    auto const made = tests::make_torrent({.bytes = 1'000'000});
    auto const hash = made.metainfo->info_hash();
    start(made);
    run(leech.session->add(made.file, AddOptions{.paused = true}));
    connect(hash);
    run(leech.session->resume(hash));
    auto const stream = leech.session->open(hash, FileIndex(0), ReaderProgram{});

    EXPECT_EQ(read(*stream, {0, made.data.size()}), made.data) << "the peer told while paused is remembered";
}

std::string compact(std::string const& address, std::uint16_t port) {
    std::vector<std::byte> bytes;
    append_compact({Address::parse(address).value(), port}, bytes);
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

// The seed listens on 127.0.0.1 and so does not know the address that its user's tracker sees it at, and lists it at.
TEST_F(TwoSessions, OurAddressAsATrackerSeesItIsNoPeer) {
    tests::FakeTracker tracker(engine.get_executor());
    std::string reply;
    tracker.answer_http([&](std::string const&) { return tests::FakeTracker::ok(reply); });
    auto const made = tests::make_torrent({});
    run(seed.session->start());
    run(leech.session->start());
    auto const peers = compact("127.0.0.9", seed.port()) + compact("127.0.0.8", seed.port());
    reply = "d11:external ip4:" + std::string("\x7f\0\0\x09", 4) + "8:intervali1800e5:peers12:" + peers + "e";

    auto const added = run(seed.session->add(made.file, AddOptions{}));
    TrackerEdit edit;
    edit.add = {tracker.http_url()};
    run(seed.session->edit_trackers(added.info_hash, edit));

    ASSERT_TRUE(until([&] { return seed.session->torrent(added.info_hash).peers_known > 0; }));
    EXPECT_EQ(seed.session->torrent(added.info_hash).peers_known, 1u);
    run(seed.session->remove(added.info_hash, false));
    run(tracker.stop());
}

asio::awaitable<void> read_and_note(Stream& stream, Errc& why, bool& ended) {
    try {
        ByteRange const range{0, 1000};
        co_await stream.read(range);
    } catch (boost::system::system_error const& e) {
        why = static_cast<Errc>(e.code().value());
    }
    ended = true;
}

TEST_F(TwoSessions, RemovingATorrentEndsItsWaitingReadsAndItsStreamsStayHarmless) {
    auto const made = tests::make_torrent({.bytes = 1'000'000});
    auto const hash = made.metainfo->info_hash();
    start(made);
    run(leech.session->add(made.file, AddOptions{}));
    auto const stream = leech.session->open(hash, FileIndex(0), ReaderProgram{});
    Errc why{};
    bool ended = false;
    asio::co_spawn(engine, read_and_note(*stream, why, ended), [](std::exception_ptr const&) {});
    ASSERT_TRUE(until([&] { return leech.session->torrent(hash).blocked_reads == 1; }));

    run(leech.session->remove(hash, false));

    EXPECT_TRUE(ended);
    EXPECT_EQ(why, Errc::removed);
    EXPECT_THROW(read(*stream, {0, 1}), boost::system::system_error);
    EXPECT_TRUE(leech.session->entries().empty());
    EXPECT_TRUE(leech.store.records.empty());
}

TEST_F(TwoSessions, AddingATorrentAgainMergesItsTrackers) {
    auto const made = tests::make_torrent({.trackers = {"http://127.0.0.1:1/announce"}});
    auto more = tests::make_torrent({.trackers = {"http://127.0.0.1:2/announce"}});
    start(made);
    run(leech.session->add(made.file, AddOptions{.paused = true}));

    auto const again = run(leech.session->add(more.file, AddOptions{}));

    EXPECT_TRUE(again.was_there);
    EXPECT_EQ(leech.session->trackers(again.info_hash).size(), 2u);
    EXPECT_EQ(leech.session->torrents().size(), 1u);
}

TEST_F(TwoSessions, TheUserIsToldWhatIsWrongWithASource) {
    auto const made = tests::make_torrent({});
    start(made);
    std::vector<std::byte> const garbage(100, std::byte{'x'});

    EXPECT_THROW(run(leech.session->add(garbage, AddOptions{})), boost::system::system_error);
    EXPECT_THROW(run(leech.session->add(std::string("magnet:?xt=urn:btih:abc"), AddOptions{})), boost::system::system_error);
    EXPECT_THROW(run(leech.session->add(std::string("ftp://example.org/a.torrent"), AddOptions{})), boost::system::system_error);
    EXPECT_THROW(leech.session->torrent(InfoHash()), boost::system::system_error);
    EXPECT_TRUE(leech.session->torrents().empty());
}

TEST_F(TwoSessions, APieceThatTheStoreLostIsFetchedAgain) {
    auto const made = tests::make_torrent({.bytes = 1'000'000});
    auto const hash = made.metainfo->info_hash();
    start(made);
    run(leech.session->add(made.file, AddOptions{.download = true}));
    connect(hash);
    ASSERT_TRUE(until([&] { return leech.session->torrent(hash).state == TorrentState::seeding; }));

    leech.store.lose(hash, PieceIndex(3));
    EXPECT_EQ(leech.session->torrent(hash).state, TorrentState::downloading);
    connect(hash);

    EXPECT_TRUE(until([&] { return leech.session->torrent(hash).state == TorrentState::seeding; }));
}

TEST_F(TwoSessions, WithoutRoomNothingIsAskedForUntilThereIsSome) {
    auto const made = tests::make_torrent({.bytes = 2'000'000});
    auto const hash = made.metainfo->info_hash();
    start(made);
    leech.store.set_room(false);
    run(leech.session->add(made.file, AddOptions{.download = true}));
    connect(hash);
    ASSERT_TRUE(until([&] { return leech.session->torrent(hash).peers_connected == 1; }));
    until([&, end = std::chrono::steady_clock::now() + 300ms] { return std::chrono::steady_clock::now() > end; });
    ASSERT_EQ(leech.session->torrent(hash).have_bytes, 0u);

    leech.store.set_room(true);

    EXPECT_TRUE(until([&] { return leech.session->torrent(hash).state == TorrentState::seeding; }));
}

TEST_F(TwoSessions, SelectedFilesAloneAreDownloaded) {
    auto const made = tests::make_torrent({.files = {{"a.bin", 200'000}, {"b.bin", 300'000}, {"c.bin", 200'000}}, .piece_bytes = 16 << 10});
    auto const hash = made.metainfo->info_hash();
    start(made);
    run(leech.session->add(made.file, AddOptions{}));
    connect(hash);
    std::vector<FileIndex> const files{FileIndex(1)};
    run(leech.session->download(hash, files));

    ASSERT_TRUE(until([&] { return leech.session->files(hash)[1].have_bytes == 300'000; }));
    ASSERT_TRUE(until([&] { return leech.session->torrent(hash).state == TorrentState::idle; }));

    auto const status = leech.session->files(hash);
    EXPECT_LT(status[0].have_bytes, 33'000u) << "only the piece that both share";
    EXPECT_FALSE(status[0].wanted);
    EXPECT_TRUE(status[1].wanted);
}

TEST_F(TwoSessions, ASecondAddDownloadsOnlyWhatItsMagnetSelects) {
    auto const made = tests::make_torrent({.files = {{"a.bin", 200'000}, {"b.bin", 300'000}, {"c.bin", 200'000}}, .piece_bytes = 16 << 10});
    auto const hash = made.metainfo->info_hash();
    start(made);
    run(leech.session->add(made.file, AddOptions{}));

    run(leech.session->add(magnet_of(hash, seed.port()) + "&so=1,77", AddOptions{.download = true}));

    ASSERT_TRUE(until([&] { return leech.session->files(hash)[1].have_bytes == 300'000; }));
    EXPECT_FALSE(leech.session->files(hash)[0].wanted);
    EXPECT_LT(leech.session->files(hash)[2].have_bytes, 33'000u);
}

TEST_F(TwoSessions, ASelectionThatNamesNoFileWantsNothing) {
    auto const made = tests::make_torrent({.bytes = 300'000});
    auto const hash = made.metainfo->info_hash();
    start(made);

    run(leech.session->add(magnet_of(hash, seed.port()) + "&so=7", AddOptions{.download = true}));

    ASSERT_TRUE(until([&] { return leech.session->entry(hash)->metainfo != nullptr; }));
    EXPECT_FALSE(leech.session->torrent(hash).download);
}

TEST_F(TwoSessions, APeerThatTheUserNamedIsRemembered) {
    auto const made = tests::make_torrent({.bytes = 300'000});
    auto const hash = made.metainfo->info_hash();
    start(made);
    run(leech.session->add(made.file, AddOptions{}));

    connect(hash);

    std::vector<std::string> const expected{"127.0.0.1:" + std::to_string(seed.port())};
    EXPECT_TRUE(until([&] { return leech.store.records.at(hash).user_peers == expected; }));
}

}  // namespace
}  // namespace rqfs::torrent
