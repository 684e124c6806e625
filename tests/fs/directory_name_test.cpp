#include "fs/directory_name.h"

#include "fs/settings.h"
#include "tests/support/make_torrent.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rqfs::fs {
namespace {

using Names = std::vector<std::string>;

torrent::InfoHash const kHash = torrent::InfoHash::parse("0123456789abcdef0123456789abcdef01234567").value();

torrent::Library::Entry entry(std::string const& display_name, std::string const& remembered = {}) {
    torrent::Library::Entry entry;
    entry.info_hash = kHash;
    entry.display_name = display_name;
    entry.directory = remembered;
    return entry;
}

TEST(DirectoryName, IsTheMagnetsNameThenWithAPartThenWithAllOfTheHash) {
    EXPECT_EQ(directory_name_candidates(entry("Film")), (Names{"Film", "Film [01234567]", "Film [" + kHash.hex() + "]"}));
}

TEST(DirectoryName, OfAMagnetWithoutNameIsItsHash) { EXPECT_EQ(directory_name_candidates(entry("")).front(), kHash.hex()); }

TEST(DirectoryName, ThatIsRememberedComesFirst) {
    EXPECT_EQ(directory_name_candidates(entry("Film", "Film [01234567]")).front(), "Film [01234567]");
}

TEST(DirectoryName, ThatIsRememberedButCannotBeANameIsPassedOver) {
    for (auto const* const bad : {"..", ".", "a/b"}) EXPECT_EQ(directory_name_candidates(entry("Film", bad)).front(), "Film") << bad;
}

TEST(DirectoryName, IsMadeSafe) {
    for (auto const& name : directory_name_candidates(entry("../../etc"))) EXPECT_EQ(name.find('/'), std::string::npos) << name;
}

TEST(DirectoryName, IsTheTorrentsOwnOnceTheMetadataIsThere) {
    auto with_metadata = entry("from the link");
    auto const made = tests::make_torrent({.name = "Own"});
    with_metadata.metainfo = made.metainfo;

    EXPECT_EQ(directory_name_candidates(with_metadata).front(), "Own");
}

TEST(DirectoryName, FitsWithItsSuffixHoweverLongTheNameIs) {
    for (auto const& name : directory_name_candidates(entry(std::string(5'000, 'x')))) EXPECT_LE(name.size(), limit::kNameBytes);
}

TEST(HashAlias, IsFortyHexadecimalDigitsAndNothingElse) {
    EXPECT_EQ(hash_alias(kHash.hex()), kHash);
    EXPECT_EQ(hash_alias("0123456789ABCDEF0123456789abcdef01234567"), kHash);
    for (auto const& other : {std::string(), std::string("0123"), kHash.hex() + "0", std::string(40, 'g'), std::string(32, 'a')})
        EXPECT_FALSE(hash_alias(other)) << other;
}

}  // namespace
}  // namespace rqfs::fs
