#include "torrent/why.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

Endpoint peer(std::string const& last) { return Endpoint::parse("10.0.0." + last + ":6881").value(); }

WhyStatus film() {
    WhyStatus why;
    why.state = TorrentState::downloading;
    why.reason = "fetching from 2 peers";
    why.path = "Film/film.mkv";
    why.size_bytes = 8'000'000;
    why.have_bytes = 1'000'000;
    return why;
}

// mpv reads and waits for piece 4.
WhyStatus waiting() {
    auto why = film();
    why.open = 1;
    WhyStatus::Reader reader;
    reader.program = "mpv";
    reader.process_id = 4711;
    reader.rate = 1'048'576;
    reader.position = 1'131'072;
    reader.reads.push_back({{1'000'000, 1'131'072}, 3'200ms, 1, {PieceIndex(4)}});
    why.readers.push_back(reader);
    WhyStatus::Piece piece;
    piece.piece = PieceIndex(4);
    piece.blocks = 16;
    piece.blocks_here = 14;
    piece.peers = 2;
    piece.peers_unchoked = 1;
    piece.holders = {{peer("1"), false}, {peer("2"), true}};
    piece.missing = {{BlockIndex(3), {{peer("1"), false, 2'100ms, 400ms}}}, {BlockIndex(9), {}}};
    why.pieces.push_back(piece);
    why.limit = {60s, "EIO"};
    return why;
}

bool has(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

TEST(Why, SaysBeforeAllElseThatNothingGoesOut) {
    auto why = waiting();
    why.obstacle = why.reason = "nothing is sent, because there is no interface tun0";
    why.pieces[0].peers = 0;

    auto const told = explain(why);

    EXPECT_TRUE(told.starts_with("nothing is sent, because there is no interface tun0\nFilm/film.mkv: ")) << told;
    EXPECT_FALSE(has(told, "torrent: ")) << "once is enough";
}

TEST(Why, SaysOnceOfAMissingMetadataThatNothingGoesOut) {
    WhyStatus why;
    why.obstacle = why.reason = "nothing is sent";

    EXPECT_EQ(explain(why), "nothing is sent\nthe torrent's metadata is missing\n");
}

TEST(Why, SaysThatAPieceFailedItsHash) {
    auto why = waiting();
    ASSERT_FALSE(has(explain(why), "hash was wrong"));

    why.pieces[0].failed = true;

    EXPECT_TRUE(has(explain(why), "\n  its hash was wrong before: it is fetched again, of others where there are any\n"));
}

TEST(Why, TellsOfAWaitFromTheReaderToTheBlocks) {
    EXPECT_EQ(explain(waiting()),
              "Film/film.mkv: 1000000 of 8000000 bytes here\n"
              "mpv (process 4711, paced, 1.0 MiB/s) at byte 1131072\n"
              "  has waited 3.2 s for bytes 1000000 to 1131072: piece 4; it fails with EIO after 1 min 0 s, in 56.8 s\n"
              "piece 4: 14 of 16 blocks here; 2 connected peers have it, 1 lets us download\n"
              "  had by 10.0.0.1:6881 (lets us download), 10.0.0.2:6881 (chokes us)\n"
              "  block 3: asked 10.0.0.1:6881 (lets us download) 2.1 s ago, expected in 0.4 s\n"
              "  block 9: nobody was asked yet\n");
}

TEST(Why, NamesAllWhoWereAskedForABlock) {
    auto why = waiting();
    why.pieces[0].missing = {{BlockIndex(3), {{peer("1"), false, 5s, 0ms}, {peer("2"), true, 100ms, 90s}}}};

    auto const text = explain(why);

    EXPECT_TRUE(has(text,
                    "  block 3: asked 10.0.0.1:6881 (lets us download) 5.0 s ago, overdue; "
                    "10.0.0.2:6881 (chokes us) 0.1 s ago, expected in 1 min 30 s\n"))
        << text;
}

TEST(Why, SaysWhatHappensAtTheTimeout) {
    auto const told = [](ReadLimit limit, std::chrono::milliseconds waited) {
        auto why = waiting();
        why.limit = std::move(limit);
        why.readers[0].reads[0].waited = waited;
        auto const text = explain(why);
        auto const begin = text.find("piece 4") + 7;
        return text.substr(begin, text.find('\n', begin) - begin);
    };

    EXPECT_EQ(told({10s, "EAGAIN"}, 2s), "; it fails with EAGAIN after 10.0 s, in 8.0 s");
    EXPECT_EQ(told({10s, "EIO"}, 11s), "; it fails with EIO after 10.0 s, in 0.0 s");
    EXPECT_EQ(told({0s, "EIO"}, 11s), "; it waits without a limit");
    EXPECT_EQ(told({}, 11s), "") << "the filesystem has not said";
}

TEST(Why, NamesTheTorrentsReasonWhenNobodyHasThePiece) {
    auto why = waiting();
    why.reason = "no peers yet: asking http://t/announce";
    why.pieces[0].peers = why.pieces[0].peers_unchoked = 0;
    why.pieces[0].holders.clear();

    auto const text = explain(why);

    EXPECT_TRUE(has(text, "piece 4: 14 of 16 blocks here; no connected peer has it\n  block 3")) << text;
    EXPECT_TRUE(text.ends_with("torrent: no peers yet: asking http://t/announce\n")) << text;
}

TEST(Why, TellsWhenAllWhoHaveThePieceChokeUs) {
    auto why = waiting();
    why.pieces[0].peers_unchoked = 0;

    EXPECT_TRUE(has(explain(why), "2 connected peers have it, none let us download\n")) << explain(why);
}

TEST(Why, TellsOfOnePeerInTheSingular) {
    auto why = waiting();
    why.pieces[0].peers = 1;

    EXPECT_TRUE(has(explain(why), "1 connected peer has it, 1 lets us download\n")) << explain(why);
}

TEST(Why, TellsThatACompletePieceIsBeingChecked) {
    auto why = waiting();
    why.pieces[0].blocks_here = 16;
    why.pieces[0].missing.clear();

    auto const text = explain(why);

    EXPECT_TRUE(text.ends_with("piece 4: all of its 16 blocks are here, the hash is being checked\n")) << text;
}

TEST(Why, CountsWhatItDoesNotList) {
    auto why = waiting();
    why.open = 3;
    why.readers[0].reads[0].missing_pieces = 7;
    why.readers[0].reads[0].pieces = {PieceIndex(4), PieceIndex(5)};
    why.pieces[0].blocks_here = 0;
    why.pieces[0].peers = 12;

    auto const text = explain(why);

    EXPECT_TRUE(has(text, ": pieces 4, 5 and 5 more;")) << text;
    EXPECT_TRUE(has(text, "(chokes us) and 10 more\n")) << text;
    EXPECT_TRUE(has(text, "  and 14 blocks more\n")) << text;
    EXPECT_TRUE(has(text, "and 2 readers more\n")) << text;
}

TEST(Why, SaysThatNothingWaits) {
    auto nobody = film();
    auto answered = film();
    answered.open = 1;
    answered.readers.push_back({"cp", 12, true, 2048, 500, {}});
    auto complete = answered;
    complete.have_bytes = complete.size_bytes;

    EXPECT_EQ(explain(nobody),
              "Film/film.mkv: 1000000 of 8000000 bytes here\nno read waits: nobody has the file open\n");
    EXPECT_EQ(explain(answered),
              "Film/film.mkv: 1000000 of 8000000 bytes here\nno read waits: what was read so far is here\n"
              "cp (process 12, greedy, 2.0 KiB/s) at byte 500\n");
    EXPECT_TRUE(has(explain(complete), "no read waits: all of the file is here\n")) << explain(complete);
}

TEST(Why, NamesTheStateThatEveryReadMeets) {
    WhyStatus metadata;
    metadata.reason = "no peers yet: the trackers know none";
    auto paused = film();
    paused.state = TorrentState::paused;
    auto failed = film();
    failed.state = TorrentState::error;
    failed.reason = "the disk is full";
    auto checking = film();
    checking.state = TorrentState::checking;

    EXPECT_EQ(explain(metadata), "the torrent's metadata is missing: no peers yet: the trackers know none\n");
    EXPECT_TRUE(has(explain(paused), "\nthe torrent is paused: reading what is not there fails at once\n"));
    EXPECT_TRUE(has(explain(failed), "\nthe torrent cannot go on: the disk is full\n"));
    EXPECT_TRUE(has(explain(checking), "\nthe stored data is being checked\n"));
    for (auto const state : {TorrentState::idle, TorrentState::downloading, TorrentState::seeding}) {
        auto fine = film();
        fine.state = state;
        auto const text = explain(fine);
        EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
    }
}

TEST(Why, KnowsReadersWithoutANameAndWithoutARate) {
    auto why = waiting();
    why.readers[0].program.clear();
    why.readers[0].process_id = 0;
    why.readers[0].rate = 0;

    EXPECT_TRUE(has(explain(why), "\nan unknown program (paced, nothing read yet) at byte 1131072\n")) << explain(why);
    why.readers[0].rate = 700;
    EXPECT_TRUE(has(explain(why), "(paced, 700 B/s)")) << explain(why);
}

TEST(Why, WritesLongWaitsInMinutesAndNoLongerThanAnHour) {
    auto why = waiting();
    why.pieces[0].missing = {{BlockIndex(3), {{peer("1"), false, 59'900ms, std::chrono::milliseconds::max()}}},
                             {BlockIndex(4), {{peer("1"), false, 60'000ms, 754'000ms}}}};

    auto const text = explain(why);

    EXPECT_TRUE(has(text, "59.9 s ago, expected in more than an hour\n")) << text;
    EXPECT_TRUE(has(text, "1 min 0 s ago, expected in 12 min 34 s\n")) << text;
}

TEST(Why, KeepsControlCharactersOut) {
    auto why = waiting();
    why.path = "Film\n\x1b[31m";
    why.readers[0].program = "m\npv\x7f";
    why.reason = "http://t\r\n says";
    why.pieces[0].peers = 0;

    auto const text = explain(why);

    EXPECT_TRUE(has(text, "Film__[31m: ")) << text;
    EXPECT_TRUE(has(text, "\nm_pv_ (process")) << text;
    EXPECT_TRUE(has(text, "torrent: http://t__ says\n")) << text;
}

TEST(Why, StaysWithinAPageOfSixtyKilobytes) {
    auto why = waiting();
    WhyStatus::Asked const asked{Endpoint::parse("[fd99:1111:2222:3333:4444:5555:6666:7777]:65535").value(), false,
                                 3'599'000ms, 3'599'000ms};
    auto piece = why.pieces[0];
    piece.blocks = 2'000'000'000;
    piece.holders.assign(limit::kWhyPeers, {asked.endpoint, true});
    WhyStatus::Block const block{BlockIndex(1'000'000'000), std::vector(limit::kWhyAsked, asked)};
    piece.missing.assign(limit::kWhyBlocks, block);
    why.pieces.assign(limit::kWhyAllPieces, piece);
    why.readers[0].reads.assign(limit::kWhyReads, why.readers[0].reads[0]);
    why.readers.assign(limit::kWhyReaders, why.readers[0]);

    EXPECT_LT(explain(why).size(), 60'000u);
}

}  // namespace
}  // namespace rqfs::torrent
