#include "torrent/metainfo/magnet.h"

#include "tests/torrent/metainfo/processor_time.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

std::string const kHex = "0123456789abcdef0123456789abcdef01234567";
std::string const kLink = "magnet:?xt=urn:btih:" + kHex;

// The sentence of the refusal, or "accepted".
std::string refusal(std::string const& uri) {
    auto const magnet = Magnet::parse(uri);
    return magnet ? "accepted" : magnet.error().what;
}

std::vector<std::uint32_t> selected(std::string const& so) {
    std::vector<std::uint32_t> numbers;
    for (auto const file : Magnet::parse(kLink + "&so=" + so).value().selected) numbers.push_back(file.value());
    return numbers;
}

TEST(Magnet, ReadsAHexadecimalInfoHash) {
    auto const magnet = Magnet::parse(kLink);

    ASSERT_TRUE(magnet);
    EXPECT_EQ(magnet->info_hash.hex(), kHex);
    EXPECT_TRUE(magnet->display_name.empty());
    EXPECT_TRUE(magnet->trackers.empty());
    EXPECT_TRUE(magnet->web_seeds.empty());
    EXPECT_TRUE(magnet->peers.empty());
    EXPECT_TRUE(magnet->selected.empty());
}

TEST(Magnet, ReadsABase32InfoHash) {
    auto const magnet = Magnet::parse("magnet:?xt=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH");

    ASSERT_TRUE(magnet);
    EXPECT_EQ(magnet->info_hash.hex(), kHex);
}

TEST(Magnet, ReadsEverythingBep9Names) {
    auto const magnet = Magnet::parse(kLink +
                                      "&dn=My+film%21&tr=http%3A%2F%2Ft%2Fannounce%3Fk%3Da%2Bb&tr=udp://u:1"
                                      "&ws=http://w/&x.pe=1.2.3.4:5&x.pe=%5B::1%5D:6&xl=10&so=1");

    ASSERT_TRUE(magnet);
    EXPECT_EQ(magnet->display_name, "My film!");
    EXPECT_EQ(magnet->trackers, (Strings{"http://t/announce?k=a+b", "udp://u:1"}));
    EXPECT_EQ(magnet->web_seeds, Strings{"http://w/"});
    EXPECT_EQ(magnet->peers, (Strings{"1.2.3.4:5", "[::1]:6"}));
    EXPECT_EQ(magnet->selected, std::vector<FileIndex>{FileIndex(1)});
}

TEST(Magnet, KeepsPlusInUrls) {
    EXPECT_EQ(Magnet::parse(kLink + "&tr=http://t/?k=a+b")->trackers, Strings{"http://t/?k=a+b"});
    EXPECT_EQ(Magnet::parse(kLink + "&dn=a%2Bb+c")->display_name, "a+b c");
}

TEST(Magnet, ReadsNumberedParameters) {
    auto const magnet = Magnet::parse("magnet:?xt.1=urn:btih:" + kHex + "&xt.2=urn:ed2k:1&tr.1=a&tr.20=b");

    ASSERT_TRUE(magnet);
    EXPECT_EQ(magnet->info_hash.hex(), kHex);
    EXPECT_EQ(magnet->trackers, (Strings{"a", "b"}));
}

TEST(Magnet, IgnoresTheCaseOfSchemeKeysAndUrn) { EXPECT_EQ(refusal("MAGNET:?XT=URN:BTIH:" + kHex), "accepted"); }

TEST(Magnet, ReadsAnEscapedTopic) { EXPECT_EQ(refusal("magnet:?xt=urn%3Abtih%3A" + kHex), "accepted"); }

TEST(Magnet, ReadsALinkCopiedOutOfAPagesSource) {
    EXPECT_EQ(Magnet::parse(kLink + "&amp;dn=n&amp;tr=t")->display_name, "n");
    EXPECT_EQ(Magnet::parse(kLink + "&amp;dn=n&amp;tr=t")->trackers, Strings{"t"});
}

TEST(Magnet, IgnoresParametersItDoesNotKnow) {
    EXPECT_EQ(refusal(kLink + "&&=&x&kt=a+b&as=http://x&xs=y&tr=&x.pe=&dn=&amp;&x.=1&1=2&.5=1"), "accepted");
}

TEST(Magnet, LeavesBrokenEscapesAsTheyAre) {
    EXPECT_EQ(Magnet::parse(kLink + "&dn=50%+off%4&tr=a")->display_name, "50% off%4");
    EXPECT_EQ(Magnet::parse(kLink + "&dn=%zz%4g%G4%")->display_name, "%zz%4g%G4%");
}

TEST(Magnet, UsesTheVersion1HashOfAHybrid) {
    auto const v2 = "xt=urn:btmh:1220" + std::string(64, 'a');

    EXPECT_EQ(Magnet::parse("magnet:?" + v2 + "&xt=urn:btih:" + kHex)->info_hash.hex(), kHex);
    EXPECT_EQ(Magnet::parse(kLink + "&" + v2)->info_hash.hex(), kHex);
}

TEST(Magnet, RefusesVersion2AloneWithASentence) {
    auto const magnet = Magnet::parse("magnet:?xt=urn:btmh:1220" + std::string(64, 'a'));

    ASSERT_FALSE(magnet);
    EXPECT_EQ(magnet.error().code, Errc::unsupported);
    EXPECT_EQ(magnet.error().what,
              "this is a magnet link of a v2-only torrent, which is not supported; v1 and hybrid torrents are");
}

TEST(Magnet, SaysWhatIsWrong) {
    EXPECT_EQ(refusal(""), "a magnet link begins with magnet:?");
    EXPECT_EQ(refusal("magnet:"), "a magnet link begins with magnet:?");
    EXPECT_EQ(refusal("http://x/"), "a magnet link begins with magnet:?");
    EXPECT_EQ(refusal("magnet:?"), "the magnet link has no xt=urn:btih: with an info-hash");
    EXPECT_EQ(refusal("magnet:?dn=x&xt=urn:sha1:abc"), "the magnet link has no xt=urn:btih: with an info-hash");
    EXPECT_EQ(refusal("magnet:?xt=urn:btih:" + kHex.substr(1)),
              "xt= of the magnet link is wrong: an info-hash has 40 hexadecimal or 32 base32 digits, not 39");
    EXPECT_EQ(refusal("magnet:?xt=urn:btih:" + std::string(40, 'g')),
              "xt= of the magnet link is wrong: an info-hash holds a character that is no digit");
    EXPECT_EQ(refusal("magnet:?xt=urn:btih:" + std::string(32, '1')),
              "xt= of the magnet link is wrong: an info-hash holds a character that is no digit");
}

TEST(Magnet, ReadsTheSelectedFilesOfBep53) {
    EXPECT_EQ(selected("0,2,4,6-8"), (std::vector<std::uint32_t>{0, 2, 4, 6, 7, 8}));
    EXPECT_EQ(selected("8,6-8,7-9,0,0"), (std::vector<std::uint32_t>{0, 6, 7, 8, 9}));
    EXPECT_EQ(selected("0%2C2"), (std::vector<std::uint32_t>{0, 2}));
    EXPECT_EQ(selected("3-3,1&so=2"), (std::vector<std::uint32_t>{1, 2, 3}));
    EXPECT_TRUE(selected("").empty());
}

TEST(Magnet, RefusesSelectionsThatAreNone) {
    for (char const* so : {"a", "1,,2", "-", "1-", "-1", "2-1", "1-2-3", "1.5", "500000", "0-500000", "4294967296",
                           "18446744073709551616", "+1", " 1"})
        EXPECT_NE(refusal(kLink + "&so=" + so).find("so= of the magnet link must be file numbers"), std::string::npos)
            << so;
}

TEST(Magnet, SelectsAsManyFilesAsATorrentMayHave) {
    EXPECT_EQ(selected("0-499999,0-499999,0-499999").size(), 500'000u);
}

TEST(Magnet, LimitsTheRangesOfASelection) {
    std::string so = "0";
    for (std::size_t i = 1; i < limit::kSelectRanges; ++i) so += "," + std::to_string(2 * i);

    EXPECT_EQ(selected(so).size(), limit::kSelectRanges);
    EXPECT_EQ(Magnet::parse(kLink + "&so=" + so + ",9").error().code, Errc::too_large);
    EXPECT_EQ(Magnet::parse(kLink + "&so=" + so + "&so=9").error().code, Errc::too_large);
}

TEST(Magnet, KeepsEveryTrackerOnce) {
    EXPECT_EQ(Magnet::parse(kLink + "&tr=a&tr=b&tr=%61&tr=a")->trackers, (Strings{"a", "b"}));
}

TEST(Magnet, KeepsTheFirstOfTooMany) {
    std::string many = kLink;
    for (int i = 0; many.size() + 40 < limit::kMagnetBytes; ++i) {
        auto const n = std::to_string(i);
        many += "&tr=" + n + "&ws=" + n + "&x.pe=" + n;
    }

    auto magnet = Magnet::parse("");
    auto const took = tests::processor_time([&] { magnet = Magnet::parse(many); });

    ASSERT_TRUE(magnet);
    EXPECT_EQ(magnet->trackers.size(), limit::kMagnetTrackers);
    EXPECT_EQ(magnet->trackers.back(), "63");
    EXPECT_EQ(magnet->web_seeds.size(), limit::kMagnetWebSeeds);
    EXPECT_EQ(magnet->peers.size(), limit::kMagnetPeers);
    EXPECT_LT(took, 10ms * tests::kSlowerBuild);
}

TEST(Magnet, RefusesAHundredThousandTrackersAtOnce) {
    std::string bomb = kLink;
    for (int i = 0; i < 100'000; ++i) bomb += "&tr=x";

    auto code = Errc::malformed;
    auto const took = tests::processor_time([&] { code = Magnet::parse(bomb).error().code; });

    EXPECT_EQ(code, Errc::too_large);
    EXPECT_LT(took, 10ms);
}

TEST(Magnet, WritesWhatOthersRead) {
    Magnet magnet;
    magnet.info_hash = InfoHash::parse(kHex).value();
    magnet.display_name = "a b&c";
    magnet.trackers = {"http://t/a?b=c"};
    magnet.web_seeds = {"http://w/"};
    magnet.peers = {"1.2.3.4:5"};
    magnet.selected = {FileIndex(0), FileIndex(2), FileIndex(3), FileIndex(4)};

    EXPECT_EQ(magnet.uri(), kLink +
                                "&dn=a%20b%26c&tr=http%3A%2F%2Ft%2Fa%3Fb%3Dc&ws=http%3A%2F%2Fw%2F"
                                "&x.pe=1.2.3.4%3A5&so=0,2-4");
}

Strings random_strings(std::mt19937_64& random, std::size_t most) {
    Strings strings(random() % (most + 1));
    for (std::size_t i = 0; i < strings.size(); ++i) {
        strings[i] = std::to_string(i);  // no two equal
        for (auto n = random() % 20; n > 0; --n) strings[i].push_back(static_cast<char>(random()));
    }
    return strings;
}

TEST(Magnet, ReadsBackWhatItWrites) {
    for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
        std::mt19937_64 random(seed);
        Magnet magnet;
        magnet.info_hash = InfoHash::parse(kHex).value();
        for (auto n = random() % 30; n > 0; --n) magnet.display_name.push_back(static_cast<char>(random()));
        magnet.trackers = random_strings(random, limit::kMagnetTrackers);
        magnet.web_seeds = random_strings(random, limit::kMagnetWebSeeds);
        magnet.peers = random_strings(random, limit::kMagnetPeers);
        for (std::uint32_t file = 0; file < 50; ++file)
            if (random() % 2 == 0) magnet.selected.push_back(FileIndex(file));

        auto const read = Magnet::parse(magnet.uri());

        ASSERT_TRUE(read) << "seed " << seed;
        EXPECT_EQ(read->info_hash, magnet.info_hash) << "seed " << seed;
        EXPECT_EQ(read->display_name, magnet.display_name) << "seed " << seed;
        EXPECT_EQ(read->trackers, magnet.trackers) << "seed " << seed;
        EXPECT_EQ(read->web_seeds, magnet.web_seeds) << "seed " << seed;
        EXPECT_EQ(read->peers, magnet.peers) << "seed " << seed;
        EXPECT_EQ(read->selected, magnet.selected) << "seed " << seed;
    }
}

}  // namespace
}  // namespace rqfs::torrent
