// What a magnet costs that finds nobody; in waits, which are wakes.
#include "tests/sim/sessions/sessions.h"
#include "tests/support/make_torrent.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <string>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;
using namespace torrent;

struct MagnetCost : Sessions {
    std::size_t waits_in_a_minute() {
        auto const before = clock.waits();
        clock.run_for(engine, 1min);
        return clock.waits() - before;
    }
    static void without_dht(Settings& settings) { settings.dht = false; }
};

TEST_F(MagnetCost, OneThatFindsNobodyIsLookedAtOnceASecond) {
    auto& member = add("40.0.0.1:6881", {}, without_dht);
    clock.run_for(engine, 2min);
    auto const idle = waits_in_a_minute();
    for (int i = 0; i < 10; ++i)
        run(member.session->add("magnet:?xt=urn:btih:" + std::string(39, 'a') + std::to_string(i), AddOptions{}));
    auto const hopeful = waits_in_a_minute();
    clock.run_for(engine, 1min);

    auto const fruitless = waits_in_a_minute();

    EXPECT_GE(hopeful, idle + 10 * 500) << "ten times a second at first";
    EXPECT_LE(fruitless, idle + 10 * 80) << "of ten magnets";
}

TEST_F(MagnetCost, WhoComesToOneIsAskedAtOnce) {
    auto const made = make_torrent({});
    auto const hash = made.metainfo->info_hash();
    auto& seed = add_seed(made, "41.0.0.1:6881", {}, without_dht);
    auto& member = add("40.0.0.1:6881", {}, without_dht);
    run(member.session->add("magnet:?xt=urn:btih:" + hash.hex(), AddOptions{}));
    clock.run_for(engine, 10min);

    run(member.session->connect(hash, "41.0.0.1", seed.host.endpoint().port));

    EXPECT_TRUE(until(2s, [&] { return member.session->torrent(hash).state != TorrentState::metadata; }));
}

}  // namespace
}  // namespace rqfs::tests
