#pragma once

#include "tests/support/simulated_host.h"
#include "tests/support/virtual_clock.h"
#include "torrent/endpoint.h"
#include "torrent/net/resolver.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace rqfs::tests {

// An internet in memory and virtual time: hosts at addresses, streams with latency and rate, datagrams with latency and
// loss. The same seed loses the same datagrams. Owns its hosts; it outlives every run of the clock. A datagram costs a
// copy and a callback of the clock, so that thousands of hosts may talk.
class SimulatedNetwork final : private torrent::Resolver {
public:
    SimulatedNetwork(boost::asio::any_io_executor executor, VirtualClock& clock, std::uint32_t seed = 1);
    ~SimulatedNetwork() override;

    // A machine at these endpoints (at most one a family), each at an address of its own.
    SimulatedHost& add(std::vector<torrent::Endpoint> at, SimulatedAccess const& access = {});
    // It is gone with all that it was sent; whoever uses it must have stopped.
    void remove(SimulatedHost& host);

    // Names of this network; literals answer themselves.
    torrent::Resolver& resolver() { return *this; }
    void name(std::string host, torrent::Address const& address) { names_[std::move(host)].push_back(address); }

    std::uint64_t datagrams() const { return datagrams_; }  // sent, lost ones too

private:
    friend class SimulatedHost;

    boost::asio::awaitable<std::vector<torrent::Address>> resolve(std::string host) override;
    SimulatedHost* find(torrent::Address const& address) const;  // null where nobody is
    void carry(torrent::Endpoint const& from, SimulatedAccess const& access, torrent::Endpoint const& to,
               std::span<std::byte const> bytes);

    boost::asio::any_io_executor executor_;
    VirtualClock& clock_;
    std::mt19937 random_;
    std::unordered_map<torrent::Address, SimulatedHost*> at_;
    std::vector<std::unique_ptr<SimulatedHost>> hosts_;
    std::map<std::string, std::vector<torrent::Address>> names_;
    std::uint64_t datagrams_ = 0;
};

}  // namespace rqfs::tests
