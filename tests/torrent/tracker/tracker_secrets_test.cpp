#include "torrent/tracker/tracker_secrets.h"

#include <gtest/gtest.h>

#include <string>

namespace rqfs::torrent {
namespace {

std::string shown(std::string const& text, std::string const& url) {
    return without_secrets(text, Url::parse(url).value());
}

constexpr auto kInPath = "http://tracker.example:80/0123456789abcdefXYZ/announce";
constexpr auto kInQuery = "https://tracker.example/announce.php?passkey=0123456789abcdefXYZ&short=abc";

TEST(TrackerSecrets, HideAPasskeyOfPathOrQuery) {
    for (auto const* const url : {kInPath, kInQuery}) {
        EXPECT_EQ(shown("unknown passkey 0123456789abcdefXYZ, go away", url), "unknown passkey [hidden], go away");
        EXPECT_EQ(shown("0123456789abcdefXYZ0123456789abcdefXYZ", url), "[hidden][hidden]");
    }
}

TEST(TrackerSecrets, HideItInTheMidstOfWords) {
    EXPECT_EQ(shown("key=0123456789abcdefXYZ&x", kInPath), "key=[hidden]&x");
    EXPECT_EQ(shown("GET /0123456789abcdefXYZ/announce failed", kInPath), "GET /[hidden]/announce failed");
}

TEST(TrackerSecrets, HideItInAnyCase) { EXPECT_EQ(shown("bad key 0123456789ABCDEFxyz", kInPath), "bad key [hidden]"); }

TEST(TrackerSecrets, HidePartsOfEightBytesOfIt) {
    EXPECT_EQ(shown("bad key 01234567", kInPath), "bad key [hidden]") << "cut off at the end of a text";
    EXPECT_EQ(shown("bad key 89abcdefX...", kInPath), "bad key [hidden]...");
    EXPECT_EQ(shown("bad key 0123456", kInPath), "bad key 0123456");
}

TEST(TrackerSecrets, HideItAsItIsWrittenAndDecoded) {
    auto const* const url = "http://tracker.example/announce?key=ab%2Bcd%2Fefgh%C3%A9";

    EXPECT_EQ(shown("no ab%2Bcd%2Fefgh%C3%A9", url), "no [hidden]");
    EXPECT_EQ(shown("no ab+cd/efgh\xc3\xa9", url), "no [hidden]");
}

TEST(TrackerSecrets, HideUserAndPassword) {
    auto const* const url = "http://somebody:correcthorse@tracker.example/announce";

    EXPECT_EQ(shown("not somebody:correcthorse", url), "not [hidden]");
    EXPECT_EQ(shown("not correcthorse", url), "not [hidden]");
}

TEST(TrackerSecrets, LeaveWordsThatEveryTrackersUrlHas) {
    for (auto const* const text :
         {"please announce later", "announce.php is gone", "", "no such info_hash", "short abc"})
        for (auto const* const url :
             {kInPath, kInQuery, "udp://tracker.example:6969", "http://tracker.example/announce"})
            EXPECT_EQ(shown(text, url), text);
}

}  // namespace
}  // namespace rqfs::torrent
