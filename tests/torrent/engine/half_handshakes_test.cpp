// A thousand connections that never say anything, and one that does: real sockets on loopback.
#include "tests/support/fake_peer.h"
#include "tests/support/make_torrent.h"
#include "tests/torrent/engine/two_sessions.h"
#include "torrent/net/connector.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

constexpr int kIdle = 1'000;
constexpr int kAddresses = 250;

// As many descriptors as both ends of all connections need, while this lives.
class ManyDescriptors {
public:
    ManyDescriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit more = before_;
        more.rlim_cur = std::min<rlim_t>(before_.rlim_max, 4'096);
        enough_ = more.rlim_cur >= 2 * kIdle + 200 && ::setrlimit(RLIMIT_NOFILE, &more) == 0;
    }
    ~ManyDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    bool enough() const { return enough_; }

private:
    rlimit before_{};
    bool enough_ = false;
};

sockaddr_in loopback(std::uint32_t host, std::uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + host);
    return at;
}

// -1 where it cannot; from 127.0.0.`host`.
int dial(std::uint32_t host, std::uint16_t port) {
    int const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto const from = loopback(host, 0);
    auto const to = loopback(0, port);
    if (socket >= 0 && ::bind(socket, reinterpret_cast<sockaddr const*>(&from), sizeof from) == 0 &&
        ::connect(socket, reinterpret_cast<sockaddr const*>(&to), sizeof to) == 0)
        return socket;
    ::close(socket);
    return -1;
}

std::size_t open_descriptors() {
    auto const all = std::filesystem::directory_iterator("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

class HalfHandshakes : public TwoSessions {
protected:
    // A session as the internet meets it.
    Host host{engine, workers, [](Settings& settings) { settings.test_network = false; }};
    void TearDown() override {
        run(host.session->stop());
        TwoSessions::TearDown();
    }
};

TEST_F(HalfHandshakes, AThousandIdleConnectionsKeepNobodyOut) {
    ManyDescriptors const descriptors;
    if (!descriptors.enough()) GTEST_SKIP() << "this machine allows too few descriptors";
    auto const made = tests::make_torrent({.bytes = 100'000});
    start(made);
    run(host.session->start());
    run(host.session->add(made.file, AddOptions{}));
    auto const before = open_descriptors();
    std::vector<int> idle;
    for (int i = 0; i < kIdle; ++i) {
        idle.push_back(dial(static_cast<std::uint32_t>(1 + i % kAddresses), host.port()));
        ASSERT_GE(idle.back(), 0);
        if (i % 50 == 49) engine.restart(), engine.poll();
    }
    TcpConnector connector{host.clock};
    Handshake ours;
    ours.info_hash = made.metainfo->info_hash();
    ours.peer_id[0] = std::byte{'x'};
    auto const began = std::chrono::steady_clock::now();

    tests::FakePeer peer(engine.get_executor(), run(connector.connect(host.session->status().listening.front(), 5s)),
                         true, ours);
    ASSERT_TRUE(until([&] { return peer.handshake().has_value() || peer.ended(); }));

    EXPECT_TRUE(peer.handshake().has_value());
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - began;
    RecordProperty("seconds", std::to_string(took.count()));
    run(peer.stop());
    for (auto const each : idle) ::close(each);
    EXPECT_TRUE(until([&] { return open_descriptors() <= before + 1; })) << open_descriptors() << " after " << before;
}

}  // namespace
}  // namespace rqfs::torrent
