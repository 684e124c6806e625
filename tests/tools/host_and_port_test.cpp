#include "tools/control/host_and_port.h"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace rqfs::tools;

std::string read(std::string const& text) {
    auto const found = parse_host_and_port(text);
    return found ? found->host + " " + std::to_string(found->port) : "nothing";
}

TEST(HostAndPort, TakesNamesAndAddresses) {
    EXPECT_EQ(read("seed.example:6881"), "seed.example 6881");
    EXPECT_EQ(read("10.0.0.1:1"), "10.0.0.1 1");
    EXPECT_EQ(read("[fd99::1]:65535"), "fd99::1 65535");
}

TEST(HostAndPort, RefusesEverythingElse) {
    for (auto const* const text : {"", ":", "host", "host:", ":6881", "host:0", "host:65536", "host:-1", "host:1x", "host: 1", "[fd99::1]",
                                   "[fd99::1]6881", "[]:1", "host:99999999999999999999"})
        EXPECT_EQ(read(text), "nothing") << text;
}

}  // namespace
