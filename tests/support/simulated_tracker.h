#pragma once

#include "tests/support/simulated_host.h"
#include "torrent/endpoint.h"
#include "torrent/net/udp_socket.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace rqfs::tests {

// A UDP tracker (BEP 15) for one swarm: names everybody who announced and has not stopped, IPv4. The host outlives it.
class SimulatedTracker final : private torrent::UdpSocket::Receiver {
public:
    struct Announce {
        torrent::Endpoint peer;  // where it listens
        std::uint32_t event;     // 0 none, 1 completed, 2 started, 3 stopped
        torrent::TimePoint when;
    };

    SimulatedTracker(SimulatedHost& host, torrent::Clock const& clock, std::uint32_t interval_seconds = 1800);
    ~SimulatedTracker() override;

    std::string url() const;
    std::vector<Announce> const& announces() const { return announces_; }
    std::size_t announces(torrent::Endpoint const& peer, std::uint32_t event) const;

private:
    bool datagram(torrent::Endpoint const& from, std::span<std::byte const> bytes) override;
    void note(torrent::Endpoint const& from, std::span<std::byte const> announce);

    SimulatedHost& host_;
    torrent::Clock const& clock_;
    std::uint32_t interval_seconds_;
    std::set<torrent::Endpoint> present_;
    std::vector<Announce> announces_;
};

}  // namespace rqfs::tests
