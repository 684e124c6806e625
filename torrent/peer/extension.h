#pragma once

#include "torrent/endpoint.h"
#include "torrent/error.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rqfs::torrent {

// The extension handshake of BEP 10, as sent and as received. Everything is optional; a repeated handshake adds to the
// one before.
struct ExtensionHandshake {
    std::uint8_t ut_metadata = 0;       // the sender's receive id; 0: not spoken (BEP 9)
    std::uint8_t lt_donthave = 0;       // BEP 54
    std::uint8_t ut_pex = 0;            // BEP 11
    std::uint8_t ut_holepunch = 0;      // BEP 55
    std::string client;                 // v
    std::optional<std::uint16_t> port;  // p: where they listen
    std::optional<std::uint32_t> reqq;
    std::optional<Address> your_address;  // yourip
    std::optional<Address> ipv4, ipv6;    // theirs, besides the one they are connected from
    std::optional<bool> prefers_encryption;  // e
    std::optional<bool> upload_only;
    std::optional<std::uint32_t> metadata_size;

    static Result<ExtensionHandshake> parse(std::span<std::byte const> payload);
    std::vector<std::byte> encode() const;
    void merge(ExtensionHandshake const& newer);  // id 0 given in `newer` disables (*_named below)

    bool ut_metadata_named = false;  // m named it, perhaps with id 0
    bool lt_donthave_named = false;
    bool ut_pex_named = false;
    bool ut_holepunch_named = false;
};

// The ids under which we receive.
inline constexpr std::uint8_t kOurMetadataId = 1;
inline constexpr std::uint8_t kOurDontHaveId = 2;
inline constexpr std::uint8_t kOurPexId = 3;
inline constexpr std::uint8_t kOurHolepunchId = 4;

}  // namespace rqfs::torrent
