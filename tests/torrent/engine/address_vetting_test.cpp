#include "tests/support/run_engine.h"
#include "tests/support/temp_dir.h"
#include "tests/torrent/engine/connections_fixture.h"
#include "torrent/address_filter.h"
#include "torrent/connections.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

constexpr std::array kStrangers{AddressSource::tracker, AddressSource::pex, AddressSource::dht};

class Vetting : public ConnectionsFixture {
protected:
    Vetting() {
        context.filter = &filter;
        connections.start();
    }
    void TearDown() override {
        tests::run_engine(engine, connections.stop());
        tests::run_engine(engine, filter.stop());
    }

    std::vector<Endpoint> dials(std::vector<std::string> const& addresses, AddressSource source) {
        for (auto const& address : addresses)
            connections.add_addresses(std::vector<Endpoint>(1, Endpoint::parse(address).value()), source);
        connections.tick();
        clock.run_for(engine, 10s);
        return std::exchange(connector.dialled, {});
    }
    void keep_away_from(std::string const& text) {
        std::ofstream(list) << text;
        tests::run_engine(engine, filter.load());
    }

    tests::TempDir directory;
    std::string list = directory / "list";
    AddressFilter filter{engine.get_executor(), clock, workers, {list}, [] {}};
    Connections connections{context, InfoHash(), shared_log(), *this};
};

TEST_F(Vetting, NoStrangerMakesUsDialALocalServerOrAService) {
    std::vector<std::string> const canaries{
        "127.0.0.1:6379",   "127.0.0.1:51413", "10.0.0.1:8080",      "192.168.1.1:80",
        "192.168.1.1:8080", "1.2.3.4:25",      "1.2.3.4:6379",       "169.254.169.254:8080",
        "[::1]:8080",       "[fe80::1]:8080",  "[fd00::1]:8080",     "[::ffff:10.0.0.1]:8080",
        "224.0.0.1:8080",   "0.0.0.0:8080",    "255.255.255.255:80", "[64:ff9b::a00:1]:8080"};

    for (auto const source : kStrangers) EXPECT_TRUE(dials(canaries, source).empty());

    EXPECT_EQ(connections.known().counts().known, 0u);
    EXPECT_EQ(dials({"1.2.3.4:8080"}, AddressSource::tracker).size(), 1u) << "a public peer is";
}

TEST_F(Vetting, LocalDiscoveryAndMagnetLinksDoNotMakeUsDialOurOwnMachine) {
    for (auto const source : {AddressSource::lsd, AddressSource::magnet}) {
        EXPECT_TRUE(
            dials({"127.0.0.1:51413", "[::1]:51413", "[::ffff:127.0.0.1]:51413", "192.168.1.1:80"}, source).empty());
        EXPECT_EQ(dials({source == AddressSource::lsd ? "192.168.1.7:51413" : "192.168.1.8:51413"}, source).size(), 1u)
            << "a neighbour is";
    }
}

TEST_F(Vetting, NobodyMakesUsDialWhomAListNames) {
    keep_away_from("1.2.3.0/24\n10.0.0.0/8\n");

    for (auto const source : {AddressSource::user, AddressSource::magnet, AddressSource::resume, AddressSource::tracker,
                              AddressSource::incoming, AddressSource::pex, AddressSource::dht, AddressSource::lsd})
        EXPECT_TRUE(dials({"1.2.3.4:6881", "10.0.0.7:6881", "[::ffff:1.2.3.5]:6881"}, source).empty());

    EXPECT_EQ(dials({"1.2.4.4:6881"}, AddressSource::dht).size(), 1u);
}

TEST_F(Vetting, ATestNetworkDoesNotLiftTheLists) {
    settings.test_network = true;
    keep_away_from("127.0.0.9\n");

    EXPECT_TRUE(dials({"127.0.0.9:6881"}, AddressSource::tracker).empty());
    EXPECT_EQ(dials({"127.0.0.8:6881"}, AddressSource::tracker).size(), 1u);
}

TEST_F(Vetting, AnAddressThatGetsOntoAListIsNotDialledWhenItIsItsTurnAgain) {
    ASSERT_EQ(dials({"1.2.3.4:6881"}, AddressSource::tracker).size(), 1u);
    keep_away_from("1.2.3.4\n");

    for (int i = 0; i < 20; ++i) {
        clock.run_for(engine, 1min);
        connections.tick();
    }

    EXPECT_TRUE(connector.dialled.empty());
    EXPECT_EQ(connections.known().find(Endpoint::parse("1.2.3.4:6881").value()), nullptr);
}

}  // namespace
}  // namespace rqfs::torrent
