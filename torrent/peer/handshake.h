#pragma once

#include "torrent/error.h"
#include "torrent/info_hash.h"
#include "torrent/peer/peer_id.h"

#include <array>
#include <cstddef>
#include <span>

namespace rqfs::torrent {

// The 68 bytes that begin every connection (BEP 3) and the reserved bits we know.
struct Handshake {
    static constexpr std::size_t kBytes = 68;

    InfoHash info_hash;
    PeerId peer_id{};
    bool extensions = false;  // reserved[5] & 0x10, BEP 10
    bool fast = false;        // reserved[7] & 0x04, BEP 6
    bool dht = false;         // reserved[7] & 0x01, BEP 5

    static Result<Handshake> parse(std::span<std::byte const, kBytes> bytes);
    std::array<std::byte, kBytes> encode() const;
};

}  // namespace rqfs::torrent
