#include "tools/rqfs/command_line.h"
#include "tools/rqfs/mount_options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace rqfs::tools;

CommandLine parsed(std::vector<std::string> const& arguments) {
    auto const result = parse_command_line(arguments);
    EXPECT_TRUE(result.command_line) << result.text;
    return result.command_line.value_or(CommandLine());
}

TEST(RqfsCommandLine, NeedsOnlyAMountpoint) {
    auto const line = parsed({"/mnt"});

    EXPECT_EQ(line.mountpoint, "/mnt");
    EXPECT_FALSE(line.foreground);
    EXPECT_FALSE(line.config);
}

TEST(RqfsCommandLine, IgnoresTheSourceThatMountPasses) {
    auto const line = parsed({"none", "/mnt", "-o", "rw,nofail,x-systemd.automount,allow_other,uid=5"});

    EXPECT_EQ(line.mountpoint, "/mnt");
    EXPECT_TRUE(line.mount_options.allow_other);
    EXPECT_EQ(line.mount_options.uid, 5u);
}

TEST(RqfsCommandLine, TakesEveryOption) {
    auto const line = parsed({"-f", "-c", "/c.yaml", "-o", "gid=7", "-o", "umask=027,ro", "--store", "/s", "--socket",
                              "/k", "--listen", "0.0.0.0:1", "--listen", "[::]:1", "--log-level", "debug", "/mnt"});

    EXPECT_TRUE(line.foreground);
    EXPECT_EQ(line.config, "/c.yaml");
    EXPECT_EQ(line.mount_options.gid, 7u);
    EXPECT_EQ(line.mount_options.umask, 027u);
    EXPECT_EQ(line.store, "/s");
    EXPECT_EQ(line.socket, "/k");
    EXPECT_EQ(line.listen, (std::vector<std::string>{"0.0.0.0:1", "[::]:1"}));
    EXPECT_EQ(line.log_level, "debug");
    EXPECT_EQ(line.mountpoint, "/mnt");
}

TEST(RqfsCommandLine, AnswersWrongUseWithOneSentenceAndStatus2) {
    for (std::vector<std::string> const& arguments :
         std::vector<std::vector<std::string>>{{},
                                               {"a", "b", "c"},
                                               {"--dance", "/mnt"},
                                               {"-o", "wings", "/mnt"},
                                               {"-o", "uid=me", "/mnt"},
                                               {"-o", "umask=8", "/mnt"},
                                               {"--listen", "6881", "/mnt"},
                                               {"--log-level", "loud", "/mnt"},
                                               {"-c"},
                                               {""}}) {
        auto const result = parse_command_line(arguments);

        EXPECT_FALSE(result.command_line);
        EXPECT_EQ(result.exit_status, 2) << result.text;
        EXPECT_TRUE(result.text.starts_with("rqfs: ")) << result.text;
        EXPECT_EQ(std::count(result.text.begin(), result.text.end(), '\n'), 1) << result.text;
    }
}

TEST(RqfsCommandLine, NamesTheWrongMountOption) {
    EXPECT_NE(parse_command_line({"-o", "ro,wings", "/mnt"}).text.find("-o wings: unknown mount option"),
              std::string::npos);
}

TEST(RqfsCommandLine, PrintsHelpAndVersion) {
    EXPECT_EQ(parse_command_line({"--help"}).exit_status, 0);
    EXPECT_NE(parse_command_line({"--help"}).text.find("--listen"), std::string::npos);
    EXPECT_NE(parse_command_line({"--help"}).text.find("\nUsage: rqfs [OPTIONS] [SOURCE] MOUNTPOINT\n"),
              std::string::npos);
    EXPECT_EQ(parse_command_line({"--help"}).text.find("REQUIRED"), std::string::npos);
    EXPECT_TRUE(parse_command_line({"--version"}).text.starts_with("rqfs "));
}

TEST(RqfsCommandLine, ComesBeforeTheConfiguration) {
    auto const environment = Environment{1000, "/home/u", "", "", "/run/user/1000"};
    Config config;
    config.store = "/from/file";
    config.torrent.listen = {"1.1.1.1:1"};
    config.log_levels["fs"] = "trace";
    config.fs.umask = 022;

    auto const line =
        parsed({"--store", "/s", "--listen", "0.0.0.0:5", "--log-level", "off", "-o", "allow_other", "/mnt"});
    auto const effective = with_command_line(config, line, environment);
    auto const untouched = with_command_line(config, parsed({"/mnt"}), environment);

    EXPECT_EQ(effective.store, "/s");
    EXPECT_EQ(effective.socket, "/run/user/1000/rqfs.sock");
    EXPECT_EQ(effective.torrent.listen, std::vector<std::string>{"0.0.0.0:5"});
    EXPECT_EQ(effective.log_level, "off");
    EXPECT_TRUE(effective.log_levels.empty());
    EXPECT_TRUE(effective.fs.allow_other);
    EXPECT_EQ(effective.fs.umask, 022u);
    EXPECT_EQ(untouched.store, "/from/file");
    EXPECT_EQ(untouched.log_levels.size(), 1u);
}

TEST(RqfsCommandLine, MakesPathsAbsolute) {
    auto line = parsed({"--store", "s", "films/../mnt"});

    make_paths_absolute(line);

    auto const here = std::filesystem::current_path().string();
    EXPECT_EQ(line.mountpoint, here + "/mnt");
    EXPECT_EQ(line.store, here + "/s");
    EXPECT_FALSE(line.socket);
}

TEST(MountOptions, PassOverWhatMountHandsToEveryHelper) {
    EXPECT_TRUE(
        parse_mount_options("rw,dev,suid,exec,user,nofail,_netdev,auto,noauto,relatime,x-gvfs-show,fsname=x,,ro"));
    EXPECT_TRUE(parse_mount_options(""));
}

TEST(MountOptions, LetTheLastOneCount) { EXPECT_EQ(parse_mount_options("uid=1,uid=2").value().uid, 2u); }

}  // namespace
