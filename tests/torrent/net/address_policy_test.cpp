#include "torrent/net/address_policy.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace rqfs::torrent {
namespace {

Endpoint at(std::string_view text) { return Endpoint::parse(text).value(); }
Address address(std::string_view text) { return Address::parse(text).value(); }

constexpr std::array kStrangers{AddressSource::tracker, AddressSource::pex, AddressSource::dht};
constexpr std::array kAll{AddressSource::user,     AddressSource::magnet, AddressSource::resume, AddressSource::tracker,
                          AddressSource::incoming, AddressSource::pex,    AddressSource::dht,    AddressSource::lsd};

constexpr std::array kPublic{"1.2.3.4",      "8.8.8.8",      "100.63.255.255",  "100.128.0.0",
                             "172.15.0.1",   "172.32.0.1",   "192.167.1.1",     "223.255.255.1",
                             "2606:4700::1", "2a00:1450::1", "2002:102:304::1", "64:ff9b::102:304"};
constexpr std::array kLocal{"127.0.0.1",      "127.255.1.2",   "10.0.0.1",         "10.255.255.255",  "172.16.0.1",
                            "172.31.255.255", "192.168.0.1",   "169.254.169.254",  "100.64.0.1",      "100.127.255.255",
                            "192.0.2.1",      "198.18.0.1",    "198.19.255.255",   "198.51.100.1",    "203.0.113.1",
                            "240.0.0.1",      "::1",           "fe80::1",          "fc00::1",         "fdff::1",
                            "fec0::1",        "2001:db8::1",   "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
                            "2002:7f00:1::",  "2002:a00:1::1", "::10.0.0.1"};
// Forms of IPv6 that wrap an IPv4 address or belong to no network that packets reach, each with what it would lead to.
constexpr std::array kDisguised{
    "::ffff:192.168.1.1",                    // mapped
    "::192.168.1.1",                         // compatible
    "2002:c0a8:101::1",                      // 6to4 of 192.168.1.1
    "2002:a9fe:a9fe::1",                     // 6to4 of 169.254.169.254
    "64:ff9b::c0a8:101",                     // NAT64 of 192.168.1.1
    "64:ff9b::a9fe:a9fe",                    // NAT64 of 169.254.169.254
    "64:ff9b:1::c0a8:101",                   // NAT64 of a local translator, RFC 8215
    "::ffff:0:192.168.1.1",                  // translated, RFC 2765
    "2001:0:4136:e378:8000:63bf:3f57:fefe",  // Teredo of 192.168.1.1
    "2001:10::1",                            // ORCHID
    "3fff::1",                               // documentation, RFC 9637
    "5f00::1",                               // segment routing, RFC 9602
    "4000::1",                               // not given to anybody
    "192.88.99.1",                           // relays of 6to4
    "fd00:ec2::254",                         // a cloud's metadata server
    "fec0::1",                               // site-local
};
constexpr std::array kNowhere{"0.0.0.0",         "0.1.2.3", "224.0.0.1", "239.192.152.143",
                              "255.255.255.255", "::",      "ff02::1",   "ff15::efc0:988f"};

TEST(AddressPolicy, StrangersMayNameOnlyPublicAddresses) {
    for (auto const source : kStrangers) {
        for (auto const* const text : kPublic) EXPECT_TRUE(may_dial({address(text), 6881}, source, false)) << text;
        for (auto const* const text : kLocal) EXPECT_FALSE(may_dial({address(text), 6881}, source, false)) << text;
        for (auto const* const text : kNowhere) EXPECT_FALSE(may_dial({address(text), 6881}, source, false)) << text;
    }
}

TEST(AddressPolicy, LoopbackIsThisMachineAlone) {
    for (auto const* const text : {"127.0.0.1", "127.255.1.2", "::1", "::ffff:127.0.0.1"})
        EXPECT_TRUE(is_loopback(address(text))) << text;
    for (auto const* const text : {"0.0.0.0", "::", "10.0.0.1", "8.8.8.8", "169.254.1.1", "fe80::1", "2606:4700::1"})
        EXPECT_FALSE(is_loopback(address(text))) << text;
}

TEST(AddressPolicy, StrangersMayNotNamePortsOfServices) {
    for (auto const source : kStrangers) {
        for (auto const port : {1, 22, 25, 80, 443, 1023, 1900, 3306, 5432, 6379, 11211, 27017})
            EXPECT_FALSE(may_dial({address("1.2.3.4"), static_cast<std::uint16_t>(port)}, source, false)) << port;
        for (auto const port : {1024, 6881, 51413, 65535})
            EXPECT_TRUE(may_dial({address("1.2.3.4"), static_cast<std::uint16_t>(port)}, source, false)) << port;
    }
}

TEST(AddressPolicy, NobodyMayNameAPlaceThatIsNone) {
    for (auto const source : kAll) {
        for (auto const* const text : kNowhere) EXPECT_FALSE(may_dial({address(text), 6881}, source, true)) << text;
        EXPECT_FALSE(may_dial({address("1.2.3.4"), 0}, source, true));
    }
}

TEST(AddressPolicy, TheUserMayNameAnythingElse) {
    EXPECT_TRUE(may_dial(at("127.0.0.1:80"), AddressSource::user, false));
    EXPECT_TRUE(may_dial(at("192.168.1.1:22"), AddressSource::user, false));
    EXPECT_TRUE(may_dial(at("[fe80::1]:6881"), AddressSource::user, false));
}

TEST(AddressPolicy, ATestNetworkLiftsTheRules) {
    for (auto const source : kAll) {
        EXPECT_TRUE(may_dial(at("127.0.0.1:80"), source, true));
        EXPECT_TRUE(may_dial(at("10.99.0.2:6379"), source, true));
    }
}

TEST(AddressPolicy, PeersWhoCameToUsMayBeLocalButNotNameServicePorts) {
    EXPECT_TRUE(may_dial(at("192.168.1.7:6881"), AddressSource::incoming, false));
    EXPECT_TRUE(may_dial(at("127.0.0.1:6881"), AddressSource::incoming, false));
    EXPECT_FALSE(may_dial(at("192.168.1.7:80"), AddressSource::incoming, false));
    EXPECT_FALSE(may_dial(at("[fe80::1]:6881"), AddressSource::incoming, false));
}

TEST(AddressPolicy, NoDisguiseOfALocalAddressIsTakenFromAStranger) {
    for (auto const* const text : kDisguised) {
        for (auto const source : kStrangers) EXPECT_FALSE(may_dial({address(text), 6881}, source, false)) << text;
        EXPECT_FALSE(may_fetch_from(address(text), false)) << text;
        EXPECT_FALSE(may_be_our_own(address(text), false)) << text;
    }
}

TEST(AddressPolicy, AMagnetLinkMayNameANeighbourButNeitherThisMachineNorAService) {
    EXPECT_TRUE(may_dial(at("1.2.3.4:6881"), AddressSource::magnet, false));
    EXPECT_TRUE(may_dial(at("192.168.1.7:51413"), AddressSource::magnet, false));
    for (auto const* const text :
         {"127.0.0.1:51413", "[::1]:51413", "[::ffff:127.0.0.1]:51413", "[64:ff9b::7f00:1]:51413",
          "169.254.169.254:51413", "[fe80::1]:51413", "192.168.1.1:80", "1.2.3.4:25", "192.168.1.7:6379"})
        EXPECT_FALSE(may_dial(at(text), AddressSource::magnet, false)) << text;
}

TEST(AddressPolicy, LocalDiscoveryMayNameTheLocalNetworkButNotThisMachine) {
    EXPECT_TRUE(may_dial(at("192.168.1.7:6881"), AddressSource::lsd, false));
    EXPECT_FALSE(may_dial(at("127.0.0.1:6881"), AddressSource::lsd, false));
    EXPECT_FALSE(may_dial(at("[::1]:6881"), AddressSource::lsd, false));
}

TEST(AddressPolicy, OurNotesOfBeforeMayNameTheLocalNetworkButNotThisMachine) {
    EXPECT_TRUE(may_dial(at("1.2.3.4:6881"), AddressSource::resume, false));
    EXPECT_TRUE(may_dial(at("192.168.1.7:6881"), AddressSource::resume, false));
    EXPECT_FALSE(may_dial(at("192.168.1.7:80"), AddressSource::resume, false));
    EXPECT_FALSE(may_dial(at("127.0.0.1:6881"), AddressSource::resume, false));
    EXPECT_FALSE(may_dial(at("[::1]:6881"), AddressSource::resume, false));
    EXPECT_FALSE(may_dial(at("[fe80::1]:6881"), AddressSource::resume, false));
}

TEST(AddressPolicy, BehindAProxyTheUserAloneNamesWhatIsNotPublic) {
    for (auto const source : kAll) {
        bool const user = source == AddressSource::user;
        for (auto const* const text : kPublic)
            EXPECT_TRUE(may_dial({address(text), 6881}, source, false, true)) << text;
        for (auto const* const text : kLocal)
            EXPECT_EQ(may_dial({address(text), 6881}, source, false, true), user) << text;
        EXPECT_TRUE(may_dial(at("10.99.0.2:6881"), source, true, true)) << "but in a test network";
    }
}

TEST(AddressPolicy, OnlyAPublicAddressMayBeOursButInATestNetwork) {
    for (auto const* const text : kPublic) EXPECT_TRUE(may_be_our_own(address(text), false)) << text;
    for (auto const* const text : kLocal) {
        EXPECT_FALSE(may_be_our_own(address(text), false)) << text;
        EXPECT_TRUE(may_be_our_own(address(text), true)) << text;
    }
    for (auto const* const text : kNowhere) EXPECT_FALSE(may_be_our_own(address(text), true)) << text;
}

TEST(AddressPolicy, FetchesOnlyFromPublicAddressesButInATestNetwork) {
    for (auto const* const text : kPublic) EXPECT_TRUE(may_fetch_from(address(text), false)) << text;
    for (auto const* const text : kLocal) {
        EXPECT_FALSE(may_fetch_from(address(text), false)) << text;
        EXPECT_TRUE(may_fetch_from(address(text), true)) << text;
    }
    for (auto const* const text : kNowhere) EXPECT_FALSE(may_fetch_from(address(text), true)) << text;
}

TEST(AddressPolicy, LocalAddressesMeanSomethingInTheOwnNetworkAlone) {
    for (auto const* const local :
         {"10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.1.1", "127.0.0.1", "fe80::1", "fd00::1", "::1"})
        EXPECT_TRUE(is_local(Address::parse(local).value())) << local;
    for (auto const* const global : {"8.8.8.8", "172.32.0.1", "2a00::1", "0.0.0.0", "224.0.0.1"})
        EXPECT_FALSE(is_local(Address::parse(global).value())) << global;
}

TEST(AddressPolicy, OnlyANeighbourThatSpokeOnALinkMayHaveALinkLocalAddressThere) {
    for (auto const source : kAll) {
        if (source == AddressSource::user) continue;
        EXPECT_EQ(may_dial(at("[fe80::1%2]:6881"), source, false), source == AddressSource::lsd);
        EXPECT_FALSE(may_dial(at("[fe80::1]:6881"), source, false));
        EXPECT_FALSE(may_dial(at("[fe80::1%2]:22"), source, false));
        EXPECT_FALSE(may_dial(at("[fe80::1%2]:6881"), source, false, true)) << "behind a proxy";
    }
}

TEST(AddressPolicy, ARelayIsWhereItsProxySaysUnlessThatIsItsOwnView) {
    auto const relay = [](char const* said, char const* proxy) {
        auto const found = relay_address(address(said), address(proxy));
        return found ? found->text() : std::string();
    };

    for (auto const* const proxy : {"8.8.8.8", "10.0.0.1", "127.0.0.1", "2a00::1"}) {
        EXPECT_EQ(relay("0.0.0.0", proxy), proxy);
        EXPECT_EQ(relay("::", proxy), proxy);
        EXPECT_EQ(relay("9.9.9.9", proxy), "9.9.9.9");
        for (auto const* const text : kNowhere)
            EXPECT_EQ(relay(text, proxy), address(text) == Address() || address(text) == address("::") ? proxy : "")
                << text;
    }
    EXPECT_EQ(relay("127.0.0.2", "127.0.0.1"), "127.0.0.2");
    EXPECT_EQ(relay("::1", "127.0.0.1"), "::1");
    EXPECT_EQ(relay("127.0.0.1", "10.0.0.1"), "10.0.0.1");
    EXPECT_EQ(relay("10.0.0.2", "127.0.0.1"), "10.0.0.2") << "through a tunnel";
    EXPECT_EQ(relay("10.0.0.2", "192.168.1.1"), "10.0.0.2");
    EXPECT_EQ(relay("10.0.0.2", "8.8.8.8"), "8.8.8.8") << "behind a router that translates";
    EXPECT_EQ(relay("169.254.1.1", "10.0.0.1"), "10.0.0.1");
}

}  // namespace
}  // namespace rqfs::torrent
