#include "fs/xattrs.h"

#include <gtest/gtest.h>

#include <string>

namespace rqfs::fs {
namespace {

TEST(Xattrs, ShowProgressWithFourDigitsAndOneOnlyWhenComplete) {
    auto const progress = [](double value) {
        XattrFacts facts;
        facts.progress = value;
        return *xattr_value("user.rqfs.progress", facts);
    };

    EXPECT_EQ(progress(0), "0.0000");
    EXPECT_EQ(progress(0.00009), "0.0000");
    EXPECT_EQ(progress(0.0001), "0.0001");
    EXPECT_EQ(progress(0.7), "0.7000");
    EXPECT_EQ(progress(0.99999999), "0.9999");
    EXPECT_EQ(progress(1), "1.0000");
    EXPECT_EQ(progress(2), "1.0000");
    EXPECT_EQ(progress(-1), "0.0000");
}

TEST(Xattrs, AreThoseTheyList) {
    XattrFacts facts;
    facts.raw_name = std::string(100'000, 'x');
    for (auto const name : xattr_names(false)) EXPECT_TRUE(xattr_value(name, facts)) << name;

    EXPECT_FALSE(xattr_value("user.rqfs", facts));
    EXPECT_FALSE(xattr_value("", facts));
    EXPECT_LE(xattr_value("user.rqfs.rawname", facts)->size(), 65'536u);
}

TEST(Xattrs, NumberFilesAndExplainThemToo) {
    XattrFacts facts;
    EXPECT_FALSE(xattr_value("user.rqfs.file", facts));
    facts.file = torrent::FileIndex(17);

    auto const of_directory = xattr_names(false);
    auto const of_file = xattr_names(true);

    EXPECT_EQ(xattr_value("user.rqfs.file", facts), "17");
    EXPECT_EQ(of_file.size(), of_directory.size() + 2);
    EXPECT_EQ(of_file.back(), kWhyXattr);
    EXPECT_FALSE(xattr_value(kWhyXattr, facts)) << "made by Filesystem";
}

TEST(Xattrs, CutLongTextsAtTheEndOfALine) {
    EXPECT_EQ(whole_lines("ab\ncd\n", 6), "ab\ncd\n");
    EXPECT_EQ(whole_lines("ab\ncd\n", 5), "ab\n");
    EXPECT_EQ(whole_lines("ab\ncd\n", 3), "ab\n");
    EXPECT_EQ(whole_lines("ab\ncd\n", 2), "");
    EXPECT_EQ(whole_lines("ab\ncd\n", 0), "");
    EXPECT_EQ(whole_lines("", 0), "");
}

}  // namespace
}  // namespace rqfs::fs
