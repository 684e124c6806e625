#include "torrent/net/interface_trouble.h"

#include "torrent/net/interface_binding.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

namespace rqfs::torrent {
namespace {

TEST(InterfaceTrouble, ThereIsNoneOfAnInterfaceThatIsThere) {
    EXPECT_EQ(interface_trouble(InterfaceBinding("lo")), InterfaceTrouble::none);
    EXPECT_EQ(interface_trouble(InterfaceBinding("127.0.0.1")), InterfaceTrouble::none);
}

TEST(InterfaceTrouble, AnInterfaceThatIsNotThereIsMissing) {
    EXPECT_EQ(interface_trouble(InterfaceBinding("none0")), InterfaceTrouble::missing);
    EXPECT_EQ(interface_trouble(InterfaceBinding("203.0.113.7")), InterfaceTrouble::missing);
}

TEST(InterfaceTrouble, EveryTroubleHasASentenceOfItsOwnThatNamesTheInterface) {
    std::set<std::string> sentences;
    for (auto const trouble : std::array{InterfaceTrouble::none, InterfaceTrouble::missing, InterfaceTrouble::down,
                                         InterfaceTrouble::without_address}) {
        auto const text = interface_trouble_text(InterfaceBinding("tun0"), trouble);

        EXPECT_NE(text.find("tun0"), std::string::npos) << text;
        sentences.insert(text);
    }
    EXPECT_EQ(sentences.size(), 4u);
}

TEST(InterfaceTrouble, SaysOfAnAddressThatNoInterfaceHasIt) {
    auto const text = interface_trouble_text(InterfaceBinding("10.8.0.2"), InterfaceTrouble::missing);

    EXPECT_NE(text.find("no interface that is up has the address 10.8.0.2"), std::string::npos) << text;
}

}  // namespace
}  // namespace rqfs::torrent
