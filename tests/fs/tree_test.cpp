#include "fs/tree.h"

#include "fs/inode.h"
#include "fs/settings.h"
#include "tests/support/fake_library.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rqfs::fs {
namespace {

using tests::make_metainfo;

torrent::InfoHash hash_of(std::string const& hex) { return *torrent::InfoHash::parse(hex); }

// 8 digits, then zeros.
torrent::InfoHash hash(std::string const& first) { return hash_of(first + std::string(40 - first.size(), '0')); }

Tree::Entry torrent_called(std::string const& name, std::string const& file = "f") {
    auto metainfo = make_metainfo(name, {{{file}, 1, ""}, {{"d", "g"}, 2, ""}});
    auto const info_hash = metainfo->info_hash();
    return {info_hash, "", std::move(metainfo), "", {}};
}

Tree::Entry magnet(torrent::InfoHash const& info_hash, std::string display_name) {
    return {info_hash, std::move(display_name), nullptr, "", {}};
}

std::vector<std::string> names_in(Tree& tree, Inode directory) {
    std::vector<std::string> names;
    tree.list(directory, 0, [&names](std::string const& name, Inode, std::uint64_t) {
        names.push_back(name);
        return true;
    });
    return names;
}

TEST(Tree, CallsAMagnetByItsDnElseByItsHash) {
    Tree tree;

    EXPECT_EQ(tree.put(magnet(hash("aaaaaaaa"), "A film")), "A film");
    EXPECT_EQ(tree.put(magnet(hash("bbbbbbbb"), "")), hash("bbbbbbbb").hex());
    EXPECT_EQ(tree.put(magnet(hash("cccccccc"), "../x")), ".._x");
}

TEST(Tree, CallsATorrentByItsNameWhenTheMetadataArrives) {
    Tree tree;
    auto const entry = torrent_called("Real");
    tree.put(magnet(entry.info_hash, "dn"));
    auto const before = tree.lookup(kRootInode, "dn");

    EXPECT_EQ(tree.put(entry), "Real");

    EXPECT_FALSE(tree.lookup(kRootInode, "dn"));
    EXPECT_EQ(tree.lookup(kRootInode, "Real"), before);
    EXPECT_EQ(names_in(tree, *before), (std::vector<std::string>{"d", "f"}));
}

TEST(Tree, GivesTheLaterOfTwoWithOneNameItsHash) {
    Tree tree;
    auto const first = torrent_called("Same", "1"), second = torrent_called("Same", "2");

    EXPECT_EQ(tree.put(first), "Same");
    EXPECT_EQ(tree.put(second), "Same [" + second.info_hash.short_hex() + "]");
    EXPECT_EQ(names_in(tree, kRootInode),
              (std::vector<std::string>{"Same", "Same [" + second.info_hash.short_hex() + "]"}));
}

TEST(Tree, UsesARememberedNameAsItIs) {
    Tree tree;
    auto entry = torrent_called("Name");
    entry.directory = "Name [12345678]";

    EXPECT_EQ(tree.put(entry), "Name [12345678]");
}

TEST(Tree, DoesNotUseARememberedNameThatCannotBe) {
    for (auto const* bad : {"a/b", "..", "."}) {
        Tree tree;
        auto entry = torrent_called("Name");
        entry.directory = bad;

        EXPECT_EQ(tree.put(entry), "Name");
    }
}

TEST(Tree, FindsATorrentByItsHashForEverButDoesNotListThat) {
    Tree tree;
    auto const entry = torrent_called("Name");
    tree.put(entry);

    auto const alias = tree.lookup(kRootInode, entry.info_hash.hex());
    ASSERT_TRUE(alias);
    EXPECT_EQ(names_in(tree, kRootInode), std::vector<std::string>{"Name"});
    EXPECT_EQ(names_in(tree, *alias), names_in(tree, *tree.lookup(kRootInode, "Name")));
    EXPECT_EQ(tree.parent(*tree.lookup(*alias, "d")), alias);
}

TEST(Tree, APathByTheHashStaysTrueWhenAMagnetGetsItsName) {
    Tree tree;
    auto const entry = torrent_called("Name");
    EXPECT_EQ(tree.put(magnet(entry.info_hash, "from the link")), "from the link");
    auto const before = tree.lookup(kRootInode, entry.info_hash.hex());

    EXPECT_EQ(tree.put(entry), "Name");

    auto const after = tree.lookup(kRootInode, entry.info_hash.hex());
    ASSERT_TRUE(before && after);
    EXPECT_EQ(after, before) << "a shell that stands in it";
    EXPECT_EQ(names_in(tree, *after), names_in(tree, *tree.lookup(kRootInode, "Name")));
    EXPECT_FALSE(tree.lookup(kRootInode, "from the link"));
}

TEST(Tree, HasOneInodeForAFileUnderBothNames) {
    Tree tree;
    auto const entry = torrent_called("Name");
    tree.put(entry);
    auto const alias = *tree.lookup(kRootInode, entry.info_hash.hex()), named = *tree.lookup(kRootInode, "Name");

    EXPECT_NE(alias, named);
    EXPECT_EQ(tree.lookup(alias, "f"), tree.lookup(named, "f"));
    EXPECT_NE(tree.lookup(alias, "d"), tree.lookup(named, "d"));
    EXPECT_EQ(tree.lookup(*tree.lookup(alias, "d"), "g"), tree.lookup(*tree.lookup(named, "d"), "g"));
}

TEST(Tree, KeepsNamesOfFortyDigitsForTheTorrentsTheyMean) {
    Tree tree;
    auto const other = hash("abcdef01");
    auto const thief = torrent_called(other.hex());

    EXPECT_EQ(tree.put(thief), other.hex() + " [" + thief.info_hash.short_hex() + "]");
    EXPECT_EQ(tree.put(magnet(other, "")), other.hex());
}

TEST(Tree, FindsANameEvenWhenAllItsWaysOutAreTaken) {
    Tree tree;
    auto const last = torrent_called("X");
    tree.put(magnet(hash("11111111"), "X"));
    tree.put(magnet(hash("22222222"), "X [" + last.info_hash.short_hex() + "]"));
    tree.put(magnet(hash("33333333"), "X [" + last.info_hash.hex() + "]"));

    EXPECT_EQ(tree.put(last), last.info_hash.hex());
}

TEST(Tree, GivesTheSameInodesAgainAfterARestart) {
    Tree one, two;
    auto const a = torrent_called("A"), b = torrent_called("B");
    one.put(a);
    one.put(b);
    two.put(b);
    two.put(a);

    EXPECT_EQ(one.lookup(*one.lookup(kRootInode, "A"), "f"), two.lookup(*two.lookup(kRootInode, "A"), "f"));
}

TEST(Tree, NeverGivesANumberToAnotherTorrent) {
    Tree tree;
    auto const one = hash("12345678"), two = hash("1234567800ff");
    tree.put(magnet(one, "one"));
    auto const inode = tree.inode(one);
    tree.remove(one);

    tree.put(magnet(two, "two"));
    EXPECT_NE(tree.inode(two), inode);
    tree.put(magnet(one, "one"));
    EXPECT_EQ(tree.inode(one), inode);
}

TEST(Tree, NeverUsesTheNumberOfTheRoot) {
    Tree tree;
    auto const zero = hash("0");
    tree.put(magnet(zero, "zero"));
    auto const high = hash("80000000ff");
    tree.put(magnet(high, "high"));

    EXPECT_NE(torrent_number(*tree.inode(zero)), 0u);
    EXPECT_NE(torrent_number(*tree.inode(high)), 0u);
    EXPECT_NE(tree.inode(zero), tree.inode(high));
}

TEST(Tree, ForgetsARemovedTorrent) {
    Tree tree;
    auto const entry = torrent_called("Gone");
    tree.put(entry);
    auto const directory = *tree.lookup(kRootInode, "Gone");
    auto const file = *tree.lookup(directory, "f");

    EXPECT_EQ(tree.remove(entry.info_hash), "Gone");

    EXPECT_FALSE(tree.node(directory));
    EXPECT_FALSE(tree.node(file));
    EXPECT_FALSE(tree.lookup(kRootInode, "Gone"));
    EXPECT_FALSE(tree.lookup(kRootInode, entry.info_hash.hex()));
    EXPECT_FALSE(tree.remove(entry.info_hash));
    EXPECT_TRUE(names_in(tree, kRootInode).empty());
    EXPECT_EQ(tree.remembered_nodes(), 0u);
}

TEST(Tree, GoesOnListingWhereItWasWhenTorrentsComeAndGo) {
    Tree tree;
    for (int i = 0; i < 4; ++i) tree.put(magnet(hash(std::to_string(i + 1) + "000"), "m" + std::to_string(i)));
    std::uint64_t place = 0;
    std::vector<std::string> names;
    auto const one = [&](std::string const& name, Inode, std::uint64_t next) {
        names.push_back(name);
        place = next;
        return false;
    };
    tree.list(kRootInode, 0, one);
    tree.list(kRootInode, place, one);

    tree.remove(hash("1000"));
    tree.put(magnet(hash("9000"), "new"));
    for (int i = 0; i < 3; ++i) tree.list(kRootInode, place, one);

    EXPECT_EQ(names, (std::vector<std::string>{"m0", "m1", "m2", "m3", "new"}));
}

TEST(Tree, LaysATorrentOutOnlyWhenAskedFor) {
    Tree tree;
    for (int i = 0; i < 100; ++i) tree.put(torrent_called("t" + std::to_string(i)));
    names_in(tree, kRootInode);
    for (int i = 0; i < 100; ++i) tree.node(*tree.lookup(kRootInode, "t" + std::to_string(i)));

    EXPECT_EQ(tree.remembered_nodes(), 0u);
    names_in(tree, *tree.lookup(kRootInode, "t5"));
    EXPECT_EQ(tree.remembered_nodes(), 4u);
}

TEST(Tree, DropsLayoutsThatTheKernelForgotButNotOthers) {
    Tree tree;
    auto const kept = torrent_called("kept"), dropped = torrent_called("dropped"), large = torrent_called("large");
    for (auto const& entry : {kept, dropped, large}) tree.put(entry);
    auto const held = *tree.lookup(*tree.inode(kept.info_hash), "f");
    tree.looked_up(held);
    tree.lookup(*tree.inode(dropped.info_hash), "f");
    std::vector<torrent::TorrentFile> files(limit::kRememberedNodes);
    for (std::size_t i = 0; i < files.size(); ++i) files[i].path = {std::to_string(i)};

    tree.install(large.info_hash, std::make_unique<TorrentTree const>(files));

    EXPECT_EQ(tree.remembered_nodes(), limit::kRememberedNodes + 1 + 4);
    EXPECT_EQ(tree.lookup(*tree.inode(dropped.info_hash), "f"),
              make_inode(torrent_number(*tree.inode(dropped.info_hash)), 2));
    tree.forget(held, 1);
}

TEST(Tree, LeavesTheLayoutOfLargeTorrentsToOthers) {
    Tree tree;
    std::vector<tests::FakeFile> files;
    for (int i = 0; i < 2001; ++i) files.push_back({{"f" + std::to_string(i)}, 1, ""});
    auto const metainfo = make_metainfo("large", files);
    tree.put({metainfo->info_hash(), "", metainfo, "", {}});
    auto const inode = *tree.inode(metainfo->info_hash());

    EXPECT_EQ(tree.needs_layout(inode), metainfo);
    tree.install(metainfo->info_hash(), std::make_unique<TorrentTree const>(metainfo->files()));
    EXPECT_EQ(tree.needs_layout(inode), nullptr);
    EXPECT_EQ(tree.needs_layout(kRootInode), nullptr);
}

TEST(Tree, KnowsTheRawNames) {
    Tree tree;
    auto const metainfo = make_metainfo("na\rme", {{{"di/r", "f\n"}, 1, ""}, {{"x"}, 1, ""}});
    tree.put({metainfo->info_hash(), "", metainfo, "", {}});
    auto const root = *tree.inode(metainfo->info_hash());
    auto const directory = *tree.lookup(root, "di_r");

    EXPECT_EQ(tree.raw_name(root), "na\rme");
    EXPECT_EQ(tree.raw_name(directory), "di/r");
    EXPECT_EQ(tree.raw_name(*tree.lookup(directory, "f_")), "f\n");
    EXPECT_FALSE(tree.raw_name(kRootInode));
}

}  // namespace
}  // namespace rqfs::fs
