#include "torrent/peer/peer_id.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace rqfs::torrent {
namespace {

PeerId id_of(std::string_view text) {
    PeerId id{};
    std::transform(text.begin(), text.end(), id.begin(), [](char c) { return static_cast<std::byte>(c); });
    return id;
}

TEST(PeerId, OursBeginsWithOurNameAndVersion) {
    auto const id = make_peer_id();
    std::string_view const text(reinterpret_cast<char const*>(id.data()), id.size());

    EXPECT_TRUE(text.starts_with("-RQ0100-")) << text;
    EXPECT_EQ(client_name(id), "rqfs 0.1.0");
}

TEST(PeerId, OursTellsNothingWhenAnonymous) {
    auto const first = make_peer_id(true);
    auto const second = make_peer_id(true);

    auto const beginning = [](PeerId const& id) { return std::vector<std::byte>(id.begin(), id.begin() + 8); };
    EXPECT_NE(beginning(first), beginning(second));
    EXPECT_NE(client_name(first).substr(0, 3), "-RQ");
}

TEST(PeerId, OursIsPrintableAndNewEachTime) {
    auto const first = make_peer_id();
    auto const second = make_peer_id();

    EXPECT_NE(first, second);
    for (auto const b : first) EXPECT_TRUE(b >= std::byte{0x20} && b < std::byte{0x7f});
}

TEST(PeerId, NamesClientsPeopleUse) {
    EXPECT_EQ(client_name(id_of("-TR3000-abcdefghijkl")), "Transmission 3.00");
    EXPECT_EQ(client_name(id_of("-TR4060-abcdefghijkl")), "Transmission 4.0.6");
    EXPECT_EQ(client_name(id_of("-LT2080-abcdefghijkl")), "libtorrent 2.0.8");
    EXPECT_EQ(client_name(id_of("-qB4550-abcdefghijkl")), "qBittorrent 4.5.5");
    EXPECT_EQ(client_name(id_of("-LT20A1-abcdefghijkl")), "libtorrent 2.0.10.1");
    EXPECT_EQ(client_name(id_of("A2-1-36-0-abcdefghij")), "aria2 1.36.0");
}

TEST(PeerId, ShowsUnknownIdsPrintable) {
    EXPECT_EQ(client_name(id_of("-!!!!!!-abc\x01\n\x7f\xff!")), "-!!!!!!-abc....!....");
    EXPECT_EQ(client_name(id_of("A2-x-36-0-abcdefghij")), "A2-x-36-0-abcdefghij");
    EXPECT_EQ(client_name(PeerId{}), "....................");
}

}  // namespace
}  // namespace rqfs::torrent
