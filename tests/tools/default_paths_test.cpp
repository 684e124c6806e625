#include "tools/control/default_paths.h"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace rqfs::tools;

TEST(DefaultPaths, FollowXdgForUsers) {
    Environment environment{1000, "/home/u", "", "", "/run/user/1000"};

    EXPECT_EQ(default_config_file(environment), "/home/u/.config/rqfs/rqfs.yaml");
    EXPECT_EQ(default_store(environment), "/home/u/.local/share/rqfs");
    EXPECT_EQ(default_socket(environment, "/s"), "/run/user/1000/rqfs.sock");

    environment.config_home = "/c";
    environment.data_home = "/d";
    environment.runtime_dir.clear();
    EXPECT_EQ(default_config_file(environment), "/c/rqfs/rqfs.yaml");
    EXPECT_EQ(default_store(environment), "/d/rqfs");
    EXPECT_EQ(default_socket(environment, "/s"), "/s/rqfs.sock");
}

TEST(DefaultPaths, AreSystemPathsForRoot) {
    Environment const environment{0, "/root", "/c", "/d", "/run/user/0"};

    EXPECT_EQ(default_config_file(environment), "/etc/rqfs.yaml");
    EXPECT_EQ(default_store(environment), "/var/lib/rqfs");
    EXPECT_EQ(default_socket(environment, "/s"), "/run/rqfs.sock");
}

}  // namespace
