#pragma once

#include "torrent/endpoint.h"
#include "torrent/error.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rqfs::torrent {

// A peer as another one describes it that is connected to it.
struct PexPeer {
    // added.f of BEP 11.
    static constexpr std::uint8_t kPrefersEncryption = 0x01;
    static constexpr std::uint8_t kSeed = 0x02;
    static constexpr std::uint8_t kUtp = 0x04;
    static constexpr std::uint8_t kHolepunch = 0x08;
    static constexpr std::uint8_t kReachable = 0x10;  // it was dialled

    Endpoint endpoint;
    std::uint8_t flags = 0;
    friend bool operator==(PexPeer const&, PexPeer const&) = default;
};

// A message of the extension ut_pex (BEP 11): whom the sender has been connected to and lost since its last one.
struct PexMessage {
    std::vector<PexPeer> added;
    std::vector<Endpoint> dropped;

    bool empty() const { return added.empty() && dropped.empty(); }

    // Takes what clients really send: any key may be missing or of another type, flags too few, addresses twice or
    // without a port, which are left out. Of each family and list at most limit::kPexPeersRead are taken.
    static Result<PexMessage> parse(std::span<std::byte const> payload);
    std::vector<std::byte> encode() const;
};

}  // namespace rqfs::torrent
