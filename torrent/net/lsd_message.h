#pragma once

#include "torrent/endpoint.h"
#include "torrent/error.h"
#include "torrent/info_hash.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rqfs::torrent {

// What is said in local service discovery (BEP 14): "I am a peer of these torrents, on this port."
struct LsdMessage {
    static constexpr std::size_t kBytes = 1'400;    // BEP 14: one datagram
    static constexpr std::size_t kInfoHashes = 24;  // as many fit
    // IPv4: within the organization, IPv6: within the site (BEP 14).
    static std::array<Endpoint, 2> const& groups();

    std::uint16_t port = 0;
    std::vector<InfoHash> info_hashes;
    std::string cookie;  // of who speaks, to know its own words; letters and digits

    // Header names in any case; lines that are not understood are left out, as is a cookie longer than 64 characters.
    static Result<LsdMessage> parse(std::span<std::byte const> datagram);
    // At most kBytes with kInfoHashes and a cookie of 16.
    std::string encode(Endpoint const& group) const;
};

}  // namespace rqfs::torrent
