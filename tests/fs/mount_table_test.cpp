#include "fs/mount_table.h"

#include <gtest/gtest.h>

namespace rqfs::fs {
namespace {

TEST(MountTable, IsReadWithItsEscapes) {
    auto const table = parse_mount_table(
        "22 27 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
        "46 27 0:43 / /tmp/my\\040mount\\134x ro,nosuid - fuse.rqfs rqfs ro,user_id=0\n"
        "47 46 0:44 / /tmp/b rw shared:1 master:2 - tmpfs none rw\n");

    ASSERT_EQ(table.size(), 3u);
    EXPECT_EQ(table[0], (MountEntry{22, "/sys", "sysfs", "sysfs"}));
    EXPECT_EQ(table[1], (MountEntry{46, "/tmp/my mount\\x", "fuse.rqfs", "rqfs"}));
    EXPECT_EQ(table[2].type, "tmpfs");
    EXPECT_TRUE(has_mount(table, 46));
    EXPECT_FALSE(has_mount(table, 48));
}

TEST(MountTable, LeavesOutWhatItDoesNotUnderstand) {
    for (auto const* text : {"", "\n\n", "garbage", "1 2 3", "x 27 0:20 / /sys rw - sysfs sysfs rw",
                             "1 27 0:20 / /sys rw shared:7", "1 2 0:1 / /x rw -", "1 2 0:1 / /x rw - type"})
        EXPECT_TRUE(parse_mount_table(text).empty()) << text;
}

TEST(MountTable, ShowsTheUppermostMount) {
    auto const table = parse_mount_table("1 0 0:1 / /a rw - ext4 x rw\n2 1 0:2 / /a rw - fuse.rqfs rqfs rw\n");

    EXPECT_EQ(mounted_at(table, "/a")->id, 2);
    EXPECT_FALSE(mounted_at(table, "/b"));
    EXPECT_FALSE(read_mount_table().empty());
}

}  // namespace
}  // namespace rqfs::fs
