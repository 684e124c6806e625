#include "tests/torrent/metainfo/hostile_torrents.h"

#include "tests/torrent/metainfo/processor_time.h"
#include "tests/torrent/metainfo/torrent_text.h"
#include "torrent/metainfo/metainfo.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using namespace tests;

TEST(HostileTorrents, AreAtLeastTwoThousand) { EXPECT_GE(hostile_torrents().size(), 2'000u); }

TEST(HostileTorrents, EachMeetTheirFixedVerdict) {
    for (auto const& hostile : hostile_torrents()) {
        auto const document = TorrentDocument::parse(bytes_of(hostile.bytes));

        ASSERT_EQ(document.has_value(), hostile.accepted)
            << hostile.what << ": " << (document ? "accepted" : document.error().what);
        if (!document) {
            ASSERT_NE(document.error().what.find(hostile.sentence), std::string::npos)
                << hostile.what << ": " << document.error().what;
        }
    }
}

TEST(HostileTorrents, TakeNoLongerThanPromisedEach) {
    for (auto const& hostile : hostile_torrents()) {
        auto const took = processor_time([&] { (void)TorrentDocument::parse(bytes_of(hostile.bytes)); });

        EXPECT_LT(took, 50ms * kSlowerBuild) << hostile.what;
    }
}

// What everybody relies on in a torrent that was accepted.
void expect_consistent(Metainfo const& torrent, std::uint64_t seed) {
    ASSERT_GE(torrent.files().size(), 1u) << "seed " << seed;
    ASSERT_EQ(torrent.files().size(), torrent.file_layout().files()) << "seed " << seed;
    ASSERT_EQ(torrent.hashes().size(), torrent.pieces().pieces()) << "seed " << seed;
    ASSERT_EQ(torrent.file_layout().total_bytes(), torrent.pieces().total_bytes()) << "seed " << seed;
    ASSERT_GE(torrent.pieces().total_bytes(), 1u) << "seed " << seed;
    ASSERT_EQ(torrent.info_hash(), InfoHash(sha1(torrent.info()))) << "seed " << seed;
    for (std::uint32_t i = 0; i < torrent.files().size(); ++i) {
        ASSERT_EQ(torrent.files()[i].bytes, torrent.file_layout().range(FileIndex(i)).size()) << "seed " << seed;
        ASSERT_FALSE(torrent.files()[i].path.empty()) << "seed " << seed;
    }
}

TEST(HostileTorrents, ThatAreChangedAtRandomAreRefusedOrConsistent) {
    int accepted = 0;
    for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
        std::mt19937_64 random(seed);
        auto encoded = torrent(seed % 2 == 0 ? single_info() : multi_info());
        for (auto changes = 1 + random() % 4; changes > 0; --changes)
            encoded[random() % encoded.size()] = "0123456789ilde:-ap\xff"[random() % 19];

        auto const document = TorrentDocument::parse(bytes_of(encoded));

        if (document) {
            ++accepted;
            expect_consistent(*document->metainfo, seed);
        }
    }

    EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace rqfs::torrent
