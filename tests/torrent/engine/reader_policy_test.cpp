#include "torrent/reader_policy.h"

#include "tests/torrent/engine/two_sessions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace rqfs::torrent {
namespace {

ReaderProgram const kThumbnailer{"tumblerd", 1};
ReaderProgram const kPlayer{"mpv", 2};

// A leech whose readers are treated as the settings say, and that knows the seed of its one torrent.
class ReaderPolicyTest : public TwoSessions {
protected:
    void set(std::function<void(StreamSettings&)> const& change) {
        Settings settings;
        settings.listen = {"127.0.0.1:0"};
        settings.test_network = true;
        change(settings.stream);
        leech.session->apply(settings);
    }
    void set_fetch(FetchPolicy policy) {
        set([policy](StreamSettings& stream) { stream.fetch = policy; });
    }
    InfoHash add(tests::MadeTorrent const& made) {
        auto const hash = made.metainfo->info_hash();
        start(made);
        run(leech.session->add(made.file, AddOptions{}));
        connect(hash);
        return hash;
    }
};

TEST(ProgramKind, IsKnownOfTheUsualPrograms) {
    StreamSettings const usual;

    EXPECT_EQ(program_kind("cp", usual), ProgramKind::copier);
    EXPECT_EQ(program_kind("sha256sum", usual), ProgramKind::copier);
    EXPECT_EQ(program_kind("tumblerd", usual), ProgramKind::scanner);
    EXPECT_EQ(program_kind("mpv", usual), ProgramKind::unknown);
    EXPECT_EQ(program_kind("", usual), ProgramKind::unknown);
}

TEST(ProgramKind, WhatLooksIntoEveryFileOfALibraryIsAScannerByItsNameInProc) {
    for (auto const* const name :
         {"ffprobe", "Plex Media Scan", "mediainfo", "exiftool", "gst-discoverer-", "baloo_file_extr", "tracker-extract",
          "localsearch", "localsearch-ext", "ffmpegthumbnail", "totem-video-thu"})
        EXPECT_EQ(program_kind(name, StreamSettings{}), ProgramKind::scanner) << name;
}

TEST(ProgramKind, FileManagersChecksumsAndBackupsCopy) {
    for (auto const* const name :
         {"nautilus", "nemo", "caja", "Thunar", "dolphin", "kioworker", "pcmanfm", "mc", "rsync", "rclone", "tar", "dd", "cat", "pv", "md5sum",
          "sha1sum", "sha512sum", "b3sum", "restic", "FreeFileSync_x8"})
        EXPECT_EQ(program_kind(name, StreamSettings{}), ProgramKind::copier) << name;
}

TEST(ProgramKind, WhatPlaysTooIsNeitherScannerNorCopier) {
    for (auto const* const name : {"minidlnad", "smbd", "curl", "7z", "ffmpeg", "jellyfin", "Plex Transcoder", "Plex Media Serv", "mpv", "vlc", "gst-launch-1.0"})
        EXPECT_EQ(program_kind(name, StreamSettings{}), ProgramKind::unknown) << name;
}

TEST(ProgramKind, ComparesTheFifteenCharactersThatTheKernelKeeps) {
    StreamSettings chosen;
    chosen.scanners = {"my-very-long-scanner"};

    EXPECT_EQ(program_kind("totem-video-thu", StreamSettings{}), ProgramKind::scanner);
    EXPECT_EQ(program_kind("my-very-long-sc", chosen), ProgramKind::scanner);
    EXPECT_EQ(program_kind("my-very-long-s", chosen), ProgramKind::unknown);
}

TEST(ProgramKind, FollowsTheUsersListInPlaceOfTheUsualOne) {
    StreamSettings chosen;
    chosen.copiers = {"mirror"};

    EXPECT_EQ(program_kind("mirror", chosen), ProgramKind::copier);
    EXPECT_EQ(program_kind("cp", chosen), ProgramKind::unknown);
    EXPECT_EQ(program_kind("tumblerd", chosen), ProgramKind::scanner) << "the other list stays";
}

TEST_F(ReaderPolicyTest, AScannerGetsWhatItReadsWithoutReadAhead) {
    auto const made = tests::make_torrent({.bytes = 8'000'000, .piece_bytes = 256 << 10});
    auto const hash = add(made);
    auto const stream = leech.session->open(hash, FileIndex(0), kThumbnailer);

    auto const bytes = read(*stream, {0, 1000});
    run(leech.session->pause(hash));

    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), made.data.begin()));
    EXPECT_EQ(leech.session->torrent(hash).have_bytes, 256u << 10);
}

TEST_F(ReaderPolicyTest, AScannerBeyondItsBudgetIsRefusedWhatIsMissingAlone) {
    set([](StreamSettings& stream) { stream.scanner_budget_bytes = 1; });
    auto const made = tests::make_torrent({.bytes = 8'000'000, .piece_bytes = 256 << 10});
    auto const hash = add(made);
    auto stream = leech.session->open(hash, FileIndex(0), kThumbnailer);
    for (std::uint64_t piece = 0; piece < 4; ++piece) read(*stream, {piece << 20, (piece << 20) + 1000});

    stream = leech.session->open(hash, FileIndex(0), kThumbnailer);

    EXPECT_THROW(read(*stream, {6u << 20, (6u << 20) + 1000}), boost::system::system_error);
    EXPECT_NO_THROW(read(*stream, {1u << 20, (1u << 20) + 1000})) << "it is stored";
    auto const player = leech.session->open(hash, FileIndex(0), kPlayer);
    EXPECT_NO_THROW(read(*player, {6u << 20, (6u << 20) + 1000}));
}

TEST_F(ReaderPolicyTest, WithFetchFileTheRestOfAnOpenFileComesUntilItIsClosed) {
    set_fetch(FetchPolicy::file);
    auto const made = tests::make_torrent({.files = {{"a.bin", 4'000'000}, {"b.bin", 4'000'000}}, .piece_bytes = 64 << 10});
    auto const hash = add(made);

    auto stream = leech.session->open(hash, FileIndex(0), kPlayer);
    ASSERT_TRUE(until([&] { return leech.session->files(hash)[0].have_bytes == 4'000'000; }));
    stream.reset();

    EXPECT_TRUE(until([&] { return leech.session->torrent(hash).state == TorrentState::idle; }));
    EXPECT_LT(leech.session->files(hash)[1].have_bytes, 65'536u) << "only the piece that both share";
}

TEST_F(ReaderPolicyTest, WithFetchFileWhatHasNotComeWhenItIsClosedStaysAway) {
    set_fetch(FetchPolicy::file);
    auto const made = tests::make_torrent({.bytes = 8'000'000, .piece_bytes = 64 << 10});
    seed.session->limit(1'000'000, std::nullopt);
    auto const hash = add(made);
    auto const have = [&] { return leech.session->torrent(hash).have_bytes; };

    auto stream = leech.session->open(hash, FileIndex(0), kPlayer);
    ASSERT_TRUE(until([&] { return have() >= 500'000; }));
    stream.reset();

    ASSERT_TRUE(until([&] { return leech.session->torrent(hash).state == TorrentState::idle; }));
    auto const left = have();
    EXPECT_LT(left, 8'000'000u);
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    until([&] { return std::chrono::steady_clock::now() >= end; });
    EXPECT_LE(have(), left + 500'000) << "what was on its way may still come";
}

TEST_F(ReaderPolicyTest, WithFetchTorrentAnOpenFileBringsTheWholeTorrentAndAScannerDoesNot) {
    set_fetch(FetchPolicy::torrent);
    auto const made = tests::make_torrent({.files = {{"a.bin", 400'000}, {"b.bin", 400'000}}, .piece_bytes = 64 << 10});
    auto const hash = add(made);
    auto const scanner = leech.session->open(hash, FileIndex(1), kThumbnailer);
    EXPECT_EQ(leech.session->torrent(hash).state, TorrentState::idle);

    auto const stream = leech.session->open(hash, FileIndex(0), kPlayer);

    EXPECT_TRUE(until([&] { return leech.session->torrent(hash).state == TorrentState::seeding; }));
}

}  // namespace
}  // namespace rqfs::torrent
