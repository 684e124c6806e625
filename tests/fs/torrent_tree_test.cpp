#include "fs/torrent_tree.h"

#include "fs/file_names.h"

#include "tests/support/sanitized.h"

#include <gtest/gtest.h>

#include <algorithm>

#include <chrono>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace rqfs::fs {
namespace {

using Files = std::vector<torrent::TorrentFile>;
using Kind = TorrentTree::Kind;

torrent::TorrentFile file(std::vector<std::string> path, std::uint64_t bytes = 1) {
    torrent::TorrentFile f;
    f.path = std::move(path);
    f.bytes = bytes;
    return f;
}

torrent::TorrentFile link(std::vector<std::string> path, std::vector<std::string> target) {
    auto f = file(std::move(path), 0);
    f.symlink = std::move(target);
    return f;
}

std::string path_of(TorrentTree const& tree, TorrentTree::Index node) {
    std::string path;
    for (; node != TorrentTree::kRoot; node = tree.parent(node)) path = "/" + std::string(tree.name(node)) + path;
    return path;
}

// Everything in the tree: path, kind, number of the file.
std::vector<std::string> listing(TorrentTree const& tree) {
    std::vector<std::string> lines;
    for (TorrentTree::Index node = 1; node < tree.size(); ++node) {
        std::string const what = tree.kind(node) == Kind::directory ? "d"
                                 : tree.kind(node) == Kind::link    ? "l"
                                 : tree.kind(node) == Kind::empty   ? "e"
                                                                    : "f";
        lines.push_back(what + path_of(tree, node));
    }
    return lines;
}

TorrentTree::Index at(TorrentTree const& tree, std::vector<std::string> const& path) {
    auto node = TorrentTree::kRoot;
    for (auto const& name : path) {
        auto const found = tree.find(node, name);
        if (!found) throw std::runtime_error("not there: " + name);
        node = *found;
    }
    return node;
}

TEST(TorrentTree, HasADirectoryForEachAndHidesPadFiles) {
    auto pad = file({".pad", "100"});
    pad.pad = true;
    Files const files{file({"b", "x"}), pad, file({"a"}), file({"b", "c", "y"})};

    TorrentTree const tree(files);

    EXPECT_EQ(listing(tree), (std::vector<std::string>{"f/a", "d/b", "d/b/c", "f/b/x", "f/b/c/y"}));
    EXPECT_EQ(tree.file(at(tree, {"b", "c", "y"})).value(), 3u);
}

TEST(TorrentTree, FindsNothingThatIsNotThere) {
    TorrentTree const tree(Files{file({"a"}), file({"c"})});

    for (auto const* name : {"", "0", "b", "d", "a/", "A"}) EXPECT_FALSE(tree.find(TorrentTree::kRoot, name)) << name;
}

TEST(TorrentTree, OfNothingIsAnEmptyDirectory) {
    TorrentTree const tree(Files{});

    EXPECT_EQ(tree.size(), 1u);
    EXPECT_FALSE(tree.find(TorrentTree::kRoot, "x"));
}

TEST(TorrentTree, KeepsHostilePathsInside) {
    Files const files{file({"..", "..", "etc", "passwd"}),
                      file({"/etc/shadow"}),
                      file({"", ""}),
                      file({}),
                      file({"a", ".."}),
                      file({"a"}),
                      file({"\xFF", "\x01"})};

    TorrentTree const tree(files);

    for (TorrentTree::Index node = 1; node < tree.size(); ++node)
        EXPECT_TRUE(is_usable_name(tree.name(node))) << path_of(tree, node);
    EXPECT_EQ(tree.kind(at(tree, {"a"})), Kind::directory);
    EXPECT_EQ(tree.kind(at(tree, {"a (2)"})), Kind::file);
}

TEST(TorrentTree, BoundsDepthAndPathLength) {
    Files files;
    std::vector<std::string> deep, long_names;
    for (int i = 0; i < 5000; ++i) deep.push_back("d");
    for (int i = 0; i < 90; ++i) long_names.push_back(std::string(255, 'n'));
    for (int i = 0; i < 3; ++i) {
        files.push_back(file(deep));
        files.push_back(file(long_names));
    }

    TorrentTree const tree(files);

    std::size_t shown = 0;
    for (TorrentTree::Index node = 1; node < tree.size(); ++node) {
        auto const path = path_of(tree, node);
        EXPECT_LE(path.size() + 255 + 512, 4095u);
        EXPECT_LE(std::count(path.begin(), path.end(), '/') + 1, 100);
        if (tree.kind(node) == Kind::file) ++shown;
    }
    EXPECT_EQ(shown, files.size());
}

TEST(TorrentTree, IsTheSameEveryTime) {
    std::mt19937 random(3);
    Files files;
    for (int i = 0; i < 2000; ++i) {
        std::vector<std::string> path;
        for (unsigned depth = random() % 4 + 1; depth > 0; --depth)
            path.push_back(std::string(1, static_cast<char>(random() % 40)));
        files.push_back(file(path, random() % 3));
    }

    EXPECT_EQ(listing(TorrentTree(files)), listing(TorrentTree(files)));
}

TEST(TorrentTree, ShowsTheSameNamesWhateverTheOrder) {
    std::mt19937 random(4);
    Files files;
    for (std::uint64_t i = 0; i < 500; ++i)
        files.push_back(
            file({std::string(1, static_cast<char>(random() % 9)), "n" + std::to_string(random() % 50)}, i));
    auto mixed = files;
    std::shuffle(mixed.begin(), mixed.end(), random);
    auto const sizes = [](Files const& of) {
        TorrentTree const tree(of);
        std::vector<std::string> lines;
        for (TorrentTree::Index node = 1; node < tree.size(); ++node)
            lines.push_back(path_of(tree, node) + " " +
                            (tree.kind(node) == Kind::file ? std::to_string(of[tree.file(node).value()].bytes) : ""));
        std::sort(lines.begin(), lines.end());
        return lines;
    };

    EXPECT_EQ(sizes(files), sizes(mixed)) << "seed 4";
}

TEST(TorrentTree, ShowsLinksThatStayInside) {
    TorrentTree const tree(Files{file({"d", "f"}), link({"one"}, {"d", "f"}), link({"d", "up"}, {"x"}), file({"x"}),
                                 link({"e", "dir"}, {"d"}), link({"d", "g", "far"}, {"d", "f"})});

    EXPECT_EQ(tree.link_target(at(tree, {"one"})), "d/f");
    EXPECT_EQ(tree.link_target(at(tree, {"d", "up"})), "../x");
    EXPECT_EQ(tree.link_target(at(tree, {"e", "dir"})), "../d");
    EXPECT_EQ(tree.link_target(at(tree, {"d", "g", "far"})), "../f");
}

TEST(TorrentTree, ShowsOtherLinksAsEmptyFiles) {
    auto pad = file({"pad"});
    pad.pad = true;
    TorrentTree const tree(Files{
        file({"d", "f"}), pad, link({"missing"}, {"no"}), link({"out"}, {"..", "x"}),
        link({"absolute"}, {"", "etc", "passwd"}), link({"self"}, {"self"}), link({"to-link"}, {"good"}),
        link({"good"}, {"d", "f"}), link({"through"}, {"dl", "f"}), link({"dl"}, {"d"}), link({"d", "loop"}, {"d"}),
        link({"to-pad"}, {"pad"}), link({"dot"}, {"d", ".", "f"}), link({"below-file"}, {"d", "f", "g"})});

    for (auto const* name : {"missing", "out", "absolute", "self", "to-link", "through", "to-pad", "dot", "below-file"})
        EXPECT_EQ(tree.kind(at(tree, {name})), Kind::empty) << name;
    EXPECT_EQ(tree.kind(at(tree, {"d", "loop"})), Kind::empty);
    EXPECT_EQ(tree.kind(at(tree, {"good"})), Kind::link);
    EXPECT_EQ(tree.kind(at(tree, {"dl"})), Kind::link);
}

TEST(TorrentTree, NeverLeadsOutsideByAnyGraphOfLinks) {
    for (unsigned seed = 0; seed < 200; ++seed) {
        std::mt19937 random(seed);
        auto const path = [&random] {
            std::vector<std::string> const names{"a", "b", "c", "..", ".", "", "/"};
            std::vector<std::string> made;
            for (unsigned depth = random() % 4 + 1; depth > 0; --depth)
                made.push_back(names[random() % (random() % 4 == 0 ? 7 : 3)]);
            return made;
        };
        Files files;
        for (int i = 0; i < 30; ++i) files.push_back(random() % 2 == 0 ? file(path()) : link(path(), path()));

        TorrentTree const tree(files);

        for (TorrentTree::Index node = 1; node < tree.size(); ++node) {
            if (tree.kind(node) != Kind::link) continue;
            auto const target =
                (std::filesystem::path("/mount/torrent" + path_of(tree, node)).parent_path() / tree.link_target(node))
                    .lexically_normal();
            auto const inside = target.lexically_relative("/mount/torrent");
            ASSERT_FALSE(inside.empty() || *inside.begin() == "..") << target << " seed " << seed;
            std::vector<std::string> const elements(inside.begin(), inside.end());
            auto const reached = at(tree, elements);
            ASSERT_TRUE(tree.kind(reached) == Kind::file || tree.kind(reached) == Kind::directory) << "seed " << seed;
        }
    }
}

TEST(TorrentTree, OfHalfAMillionFilesIsLaidOutInThreeSeconds) {
    Files files;
    files.reserve(500'000);
    for (std::uint64_t i = 0; i < 500'000; ++i)
        files.push_back(file({"dir" + std::to_string(i / 100'000), "file" + std::to_string(i * 7919 % 500'000)}));
    auto const begin = std::chrono::steady_clock::now();

    TorrentTree const tree(files);

    auto const took = std::chrono::steady_clock::now() - begin;
    RecordProperty("milliseconds",
                   static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
    EXPECT_EQ(tree.size(), 500'006u);
    // Without optimisation, beside other work.
    if (!tests::kSanitized) {
        EXPECT_LT(took, std::chrono::seconds(6));
    }
}

}  // namespace
}  // namespace rqfs::fs
