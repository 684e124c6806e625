#pragma once

#include "torrent/info_hash.h"
#include "torrent/tracker/announce.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {

// The datagrams of UDP trackers (BEP 15, 41), big-endian. Pure.

enum class UdpAction : std::uint32_t { connect = 0, announce = 1, scrape = 2, error = 3 };

// What every reply begins with.
struct UdpReplyHead {
    std::uint32_t action = 0;
    std::uint32_t transaction = 0;
};
std::optional<UdpReplyHead> parse_udp_head(std::span<std::byte const> datagram);

std::vector<std::byte> encode_udp_connect(std::uint32_t transaction);
// `target` is path and query of the tracker's URL; "/" says nothing and is left out.
std::vector<std::byte> encode_udp_announce(std::uint64_t connection, std::uint32_t transaction,
                                           AnnounceRequest const& request, std::string_view target);
std::vector<std::byte> encode_udp_scrape(std::uint64_t connection, std::uint32_t transaction,
                                         InfoHash const& info_hash);

// Whole datagrams, head included. Longer ones than needed are fine, shorter ones give nothing.
std::optional<std::uint64_t> parse_udp_connect(std::span<std::byte const> datagram);
std::optional<AnnounceResponse> parse_udp_announce(std::span<std::byte const> datagram,
                                                   bool v6);  // 18 bytes a peer over IPv6, else 6
std::optional<ScrapeResult> parse_udp_scrape(std::span<std::byte const> datagram);
std::string parse_udp_error(std::span<std::byte const> datagram);  // as it may be shown; never empty

}  // namespace rqfs::torrent
