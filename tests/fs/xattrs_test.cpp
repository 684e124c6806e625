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
    for (auto const name : xattr_names()) EXPECT_TRUE(xattr_value(name, facts)) << name;

    EXPECT_FALSE(xattr_value("user.rqfs", facts));
    EXPECT_FALSE(xattr_value("", facts));
    EXPECT_LE(xattr_value("user.rqfs.rawname", facts)->size(), 65'536u);
}

}  // namespace
}  // namespace rqfs::fs
