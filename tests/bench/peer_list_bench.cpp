// What an address costs that a stranger names to a PeerList that is full, in nanoseconds. Build with -O2.

#include "torrent/limits.h"
#include "torrent/swarm/peer_list.h"

#include <chrono>
#include <cstdint>
#include <cstdio>

namespace {

using namespace rqfs::torrent;
using Timer = std::chrono::steady_clock;

constexpr std::uint32_t kNamed = 20'000;

// The number-th of many addresses, each in its own /24.
Endpoint address(std::uint32_t number) {
    auto const byte = [number](unsigned shift) { return static_cast<std::uint8_t>(number >> shift); };
    return {Address::v4({static_cast<std::uint8_t>(20 + byte(16)), byte(8), byte(0), 1}), 6881};
}

double nanoseconds_an_address(std::size_t entries) {
    PeerList list({entries, limit::kPeersPerNetworkAndSource, 1});
    TimePoint now(std::chrono::hours(1));
    std::uint32_t number = 0;
    for (; number < entries; ++number) list.add(address(number), PeerSource::tracker, now);
    auto const begin = Timer::now();
    for (std::uint32_t i = 0; i < kNamed; ++i, now += std::chrono::microseconds(10))
        list.add(address(number++), PeerSource::pex, now);
    std::chrono::duration<double, std::nano> const spent = Timer::now() - begin;
    return spent.count() / kNamed;
}

}  // namespace

int main() {
    for (std::size_t const entries :
         {limit::kPeerListEntries / 10, limit::kPeerListEntries, limit::kPeerListEntries * 10})
        std::printf("%zu entries: %.0f ns an address\n", entries, nanoseconds_an_address(entries));
}
