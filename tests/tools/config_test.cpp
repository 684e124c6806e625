#include "tools/rqfs/config.h"
#include "tools/rqfs/config_values.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace rqfs::tools;

TEST(Config, TakesEveryKey) {
    auto const config = parse_config(R"(
limits:
  up: 500K
  down: unlimited
  lan: true
  connections: 300
  connections_per_torrent: 50
  upload_slots: 4
network:
  listen: ["0.0.0.0:7000", "[::]:7000"]
  interface: tun0
  dns: [10.8.0.1, "[fd00::1]:5353"]
  test_network: true
  lsd: false
  port_mapping: false
  dht: false
  dht_routers: ["router.example:6881", "[fd99::1]:7000"]
  dht_read_only: true
  ip_filter: [/etc/level1.gz, /etc/own]
  anonymous: true
  proxy: socks5://anna:secret@proxy.example:1080
cache:
  memory: 1G
read:
  timeout: 90s
  on_timeout: eagain
stream:
  fetch: file
  copiers: [mirror, cp]
  scanners: tumblerd
  scanner_budget: 8M
mount:
  allow_other: true
  uid: 1000
  gid: 100
  umask: 022
store: /data/rqfs
socket: /run/x.sock
log:
  file: /var/log/rqfs.log
  level: warn
  levels: {torrent: trace, cache: debug, fs: error, rqfs: off}
)",
                                     "x.yaml")
                            .value();

    EXPECT_EQ(config.torrent.up_limit, 512000u);
    EXPECT_EQ(config.torrent.down_limit, 0u);
    EXPECT_EQ(config.torrent.connections, 300u);
    EXPECT_EQ(config.torrent.connections_per_torrent, 50u);
    EXPECT_EQ(config.torrent.upload_slots, 4u);
    EXPECT_EQ(config.torrent.listen, (std::vector<std::string>{"0.0.0.0:7000", "[::]:7000"}));
    EXPECT_EQ(config.torrent.interface, "tun0");
    EXPECT_EQ(config.torrent.dns, (std::vector<std::string>{"10.8.0.1", "[fd00::1]:5353"}));
    EXPECT_TRUE(config.torrent.test_network);
    EXPECT_TRUE(config.torrent.limit_lan);
    EXPECT_FALSE(config.torrent.lsd);
    EXPECT_EQ(config.torrent.port_mapping, false);
    EXPECT_FALSE(config.torrent.dht);
    EXPECT_EQ(config.torrent.dht_routers, (std::vector<std::string>{"router.example:6881", "[fd99::1]:7000"}));
    EXPECT_TRUE(config.torrent.dht_read_only);
    EXPECT_EQ(config.torrent.ip_filter, (std::vector<std::string>{"/etc/level1.gz", "/etc/own"}));
    EXPECT_TRUE(config.torrent.anonymous);
    EXPECT_EQ(config.torrent.proxy, "socks5://anna:secret@proxy.example:1080");
    EXPECT_EQ(config.cache.memory_bytes, 1u << 30);
    EXPECT_EQ(config.fs.read_timeout, std::chrono::seconds(90));
    EXPECT_EQ(config.fs.on_timeout, rqfs::fs::OnTimeout::eagain);
    EXPECT_EQ(config.torrent.stream.fetch, rqfs::torrent::FetchPolicy::file);
    EXPECT_EQ(config.torrent.stream.copiers, (std::vector<std::string>{"mirror", "cp"}));
    EXPECT_EQ(config.torrent.stream.scanners, std::vector<std::string>{"tumblerd"});
    EXPECT_EQ(config.torrent.stream.scanner_budget_bytes, 8u << 20);
    EXPECT_TRUE(config.fs.allow_other);
    EXPECT_EQ(config.fs.uid, 1000u);
    EXPECT_EQ(config.fs.gid, 100u);
    EXPECT_EQ(config.fs.umask, 022u);
    EXPECT_EQ(config.store, "/data/rqfs");
    EXPECT_EQ(config.socket, "/run/x.sock");
    EXPECT_EQ(config.log_file, "/var/log/rqfs.log");
    EXPECT_EQ(config.log_level, "warn");
    EXPECT_EQ(config.log_levels, (std::map<std::string, std::string>{
                                     {"torrent", "trace"}, {"cache", "debug"}, {"fs", "error"}, {"rqfs", "off"}}));
}

TEST(Config, KeepsTheDefaultsOfWhatItDoesNotName) {
    for (std::string const text : {"", "# nothing\n", "---\n", "{}", "limits:\n", "network: {listen: []}"}) {
        auto const config = parse_config(text, "x.yaml");

        ASSERT_TRUE(config) << text << config.error().what;
        EXPECT_EQ(config->torrent.connections, rqfs::torrent::Settings().connections);
        EXPECT_TRUE(config->torrent.listen.empty());
        EXPECT_EQ(config->log_level, "info");
    }
}

TEST(Config, TakesOneAddressForAList) {
    EXPECT_EQ(parse_config("network: {listen: '10.0.0.1:7000'}", "x").value().torrent.listen,
              std::vector<std::string>{"10.0.0.1:7000"});
}

TEST(Config, TakesAnAddressForAnInterface) {
    EXPECT_EQ(parse_config("network: {interface: fd00:1:2:3:4:5:6:7}", "x").value().torrent.interface,
              "fd00:1:2:3:4:5:6:7");
    EXPECT_FALSE(parse_config("network: {interface: a name too long}", "x"));
    EXPECT_FALSE(parse_config("network: {interface: ../eth0}", "x"));
    EXPECT_FALSE(parse_config("network: {dns: dns.example}", "x"));
}

TEST(Config, NamesFileLineKeyAndWhatWasExpected) {
    struct Case {
        std::string text;
        std::string error;
    };
    std::vector<Case> const cases{
        {"limits:\n  up: fast\n",
         "x.yaml:2: limits.up: a rate in bytes a second like 500K or 2M, 0 or unlimited was expected, not \"fast\""},
        {"limits:\n  down: -1\n",
         "x.yaml:2: limits.down: a rate in bytes a second like 500K or 2M, 0 or unlimited was expected, not \"-1\""},
        {"\nlimits:\n\n  upp: 5\n",
         "x.yaml:4: limits.upp: unknown key; expected one of: up, down, lan, connections, connections_per_torrent, "
         "upload_slots"},
        {"speed: 5\n",
         "x.yaml:1: speed: unknown key; expected one of: limits, network, cache, read, stream, mount, store, socket, "
         "log"},
        {"limits: 5\n",
         "x.yaml:1: limits: keys were expected: up, down, lan, connections, connections_per_torrent, upload_slots"},
        {"limits: {connections: 0}",
         "x.yaml:1: limits.connections: a whole number from 1 to 65535 was expected, not \"0\""},
        {"limits: {connections: 1.5}",
         "x.yaml:1: limits.connections: a whole number from 1 to 65535 was expected, not \"1.5\""},
        {"limits: {upload_slots: 99999}",
         "x.yaml:1: limits.upload_slots: a whole number from 1 to 1000 was expected, not \"99999\""},
        {"limits: {up: [1]}", "x.yaml:1: limits.up: a value was expected"},
        {"limits:\n  up:\n", "x.yaml:2: limits.up: a value was expected"},
        {"network:\n  listen:\n    - 0.0.0.0:1\n    - nowhere\n",
         "x.yaml:4: network.listen: ADDRESS:PORT like 0.0.0.0:6881 or [::]:6881 was expected, not \"nowhere\""},
        {"network: {listen: {a: b}}", "x.yaml:1: network.listen: a list of values was expected"},
        {"network: {ip_filter: my.list}", "x.yaml:1: network.ip_filter: an absolute path was expected, not \"my.list\""},
        {"network: {dht_routers: router.example}",
         "x.yaml:1: network.dht_routers: HOST:PORT like router.bittorrent.com:6881 was expected, not "
         "\"router.example\""},
        {"network: {test_network: yes}", "x.yaml:1: network.test_network: true or false was expected, not \"yes\""},
        {"cache: {memory: 1M}",
         "x.yaml:1: cache.memory: a size of at least 16M like 128M or 2G was expected, not \"1M\""},
        {"read: {timeout: 0}",
         "x.yaml:1: read.timeout: a duration above 0 and up to 24h like 60s, 500ms or 2m was expected, not \"0\""},
        {"read: {on_timeout: enoent}", "x.yaml:1: read.on_timeout: eio or eagain was expected, not \"enoent\""},
        {"stream: {fetch: all}", "x.yaml:1: stream.fetch: window, file or torrent was expected, not \"all\""},
        {"stream: {scanners: [/usr/bin/file]}",
         "x.yaml:1: stream.scanners: a program's name without its directory was expected, not \"/usr/bin/file\""},
        {"stream: {scanner_budget: much}",
         "x.yaml:1: stream.scanner_budget: a size like 32M, or 0 for no limit was expected, not \"much\""},
        {"mount: {uid: root}", "x.yaml:1: mount.uid: a number from 0 to 4294967294 was expected, not \"root\""},
        {"mount: {gid: 4294967295}",
         "x.yaml:1: mount.gid: a number from 0 to 4294967294 was expected, not \"4294967295\""},
        {"mount: {umask: 999}", "x.yaml:1: mount.umask: octal digits from 0 to 0777 was expected, not \"999\""},
        {"store: here", "x.yaml:1: store: an absolute path was expected, not \"here\""},
        {"log: {level: loud}",
         "x.yaml:1: log.level: trace, debug, info, warn, error or off was expected, not \"loud\""},
        {"log: {levels: {net: info}}",
         "x.yaml:1: log.levels.net: unknown key; expected one of: torrent, cache, fs, rqfs"},
        {"log:\n  levels:\n    fs: \"a\\nb\"\n",
         "x.yaml:3: log.levels.fs: trace, debug, info, warn, error or off was expected, not \"a\\x0ab\""},
        {"store: /a\nstore: /b\n", "x.yaml:2: store: is there twice"},
        {"[1]: 2", "x.yaml:1: a key was expected: limits, network, cache, read, stream, mount, store, socket, log"},
        {"- a\n", "x.yaml:1: keys were expected: limits, network, cache, read, stream, mount, store, socket, log"},
        {"--- {}\n--- {}\n", "x.yaml:2: only one document was expected"},
    };

    for (auto const& c : cases) {
        auto const config = parse_config(c.text, "x.yaml");

        ASSERT_FALSE(config) << c.text;
        EXPECT_EQ(config.error().what, c.error);
    }
}

TEST(Config, SaysWhatIsWrongWithAProxyWithoutItsPassword) {
    auto const config = parse_config("network:\n  proxy: socks5://anna:secret@proxy.example\n", "x.yaml");

    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().what, "x.yaml:2: network.proxy: the proxy's port is missing: host:port was expected");
    EXPECT_EQ(parse_config("network: {proxy: ''}", "x.yaml").value().torrent.proxy, "");
}

TEST(Config, SaysWhereTheYamlIsBroken) {
    for (std::string const text : {"limits:\n  up: [1\n", "limits: {up: 1\n", "store: a: b\n", "limits:\n\tup: 1\n"}) {
        auto const config = parse_config(text, "x.yaml");

        ASSERT_FALSE(config) << text;
        EXPECT_TRUE(config.error().what.starts_with("x.yaml:")) << config.error().what;
        EXPECT_NE(config.error().what.find(": no valid YAML: "), std::string::npos) << config.error().what;
    }
}

TEST(Config, SurvivesDeepNesting) {
    EXPECT_FALSE(parse_config(std::string(100'000, '['), "x"));
    EXPECT_FALSE(parse_config("limits: &a {up: *a}", "x"));
}

TEST(Config, MayBeMissingOnlyAtItsDefaultPlace) {
    EXPECT_TRUE(load_config("/nowhere/rqfs.yaml", true));

    auto const named = load_config("/nowhere/rqfs.yaml", false);
    ASSERT_FALSE(named);
    EXPECT_EQ(named.error().what,
              "the configuration file /nowhere/rqfs.yaml cannot be read: No such file or directory");
    EXPECT_EQ(load_config("/tmp", false).error().what, "the configuration file /tmp is a directory");
    EXPECT_EQ(load_config("/dev/zero", false).error().what, "the configuration file /dev/zero is over 1 MiB");
}

TEST(Config, TellsWhatWaitsForTheNextStart) {
    Config now;
    auto next = now;
    next.cache.memory_bytes = 1;
    next.fs.umask = 077;
    next.socket = "/x";
    next.torrent.up_limit = 5;
    next.fs.read_timeout = std::chrono::seconds(5);

    EXPECT_EQ(keys_for_next_start(now, next), (std::vector<std::string>{"cache.memory", "mount.umask", "socket"}));
    EXPECT_TRUE(keys_for_next_start(now, now).empty());
}

}  // namespace
