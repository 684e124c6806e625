#include "torrent/link_scope.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace rqfs::torrent {
namespace {

Address at(std::string const& text) { return Address::parse(text).value(); }

TEST(LinkScope, IsKeptInALinkLocalAddressAlone) {
    for (std::uint32_t const scope : {1u, 2u, 70'000u, std::numeric_limits<std::uint32_t>::max()}) {
        auto const scoped = with_link_scope(at("fe80::1"), scope);
        EXPECT_EQ(link_scope(scoped), scope);
        EXPECT_TRUE(is_link_local_v6(scoped));
        EXPECT_NE(scoped, at("fe80::1"));
        EXPECT_EQ(without_link_scope(scoped), at("fe80::1"));
    }
    for (auto const* const text : {"10.0.0.1", "169.254.1.1", "fd00::1", "2a00::1", "ff02::c", "::1"}) {
        EXPECT_EQ(with_link_scope(at(text), 2), at(text));
        EXPECT_EQ(without_link_scope(at(text)), at(text));
        EXPECT_EQ(link_scope(at(text)), 0u) << text;
    }
}

TEST(LinkScope, IsPartOfItsText) {
    EXPECT_EQ(with_link_scope(at("fe80::1"), 2).text(), "fe80::1%2");
    EXPECT_EQ(at("fe80::1%2"), with_link_scope(at("fe80::1"), 2));
    EXPECT_EQ(Endpoint::parse("[fe80::1%2]:6881").value().text(), "[fe80::1%2]:6881");
    EXPECT_EQ(at("fe80::1").text(), "fe80::1");
}

TEST(LinkScope, OnlyALinkLocalAddressWithoutOneMayBeGivenOneByText) {
    for (auto const* const text :
         {"fe80::1%", "fe80::1%0", "fe80::1%-1", "fe80::1%eth0", "fe80::1%2x", "fe80::1%4294967296", "2a00::1%2",
          "10.0.0.1%2", "fe80:0:2::1%3", "%2", "fe80::1%2%3"})
        EXPECT_FALSE(Address::parse(text)) << text;
}

TEST(LinkScope, WhoHasBitsOfItsOwnThereIsNobody) {
    EXPECT_EQ(with_link_scope(at("fe80:0:2::1"), 3), at("::"));
    EXPECT_EQ(with_link_scope(at("fe80:1::1"), 0), at("::"));
}

}  // namespace
}  // namespace rqfs::torrent
