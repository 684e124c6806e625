// Which peers a session remembers for its next run.
#include "tests/sim/sessions/sessions.h"

#include <chrono>
#include <string>
#include <vector>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;
using namespace torrent;

class ResumedPeers : public Sessions {};

// The next run may be on another link, and its interfaces have other numbers.
TEST_F(ResumedPeers, AreNoneOfThoseThatOnlyALinkLeadsTo) {
    auto const made = make_torrent({.bytes = 5'000'000});
    auto const hash = made.metainfo->info_hash();
    add_seed(made, "[fe80::1%2]:6881", {.up_bytes_per_second = 100'000});
    add_seed(made, "[2a00::1]:6881", {.up_bytes_per_second = 100'000});
    auto& reader = add("[2a00::2]:6881");
    run(reader.session->add(made.file, AddOptions{.download = true}));
    for (std::string const host : {"fe80::1%2", "2a00::1"}) run(reader.session->connect(hash, host, 6881));
    ASSERT_TRUE(until(10s, [&] { return reader.session->torrent(hash).peers_connected == 2; }))
        << reader.session->torrent(hash).peers_connected << reader.session->torrent(hash).reason;

    run(reader.session->pause(hash));

    EXPECT_EQ(reader.store.peers[hash], std::vector<Endpoint>{Endpoint::parse("[2a00::1]:6881").value()});
}

}  // namespace
}  // namespace rqfs::tests
