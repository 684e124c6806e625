#include "torrent/peer/handshake.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace rqfs::torrent {

namespace {

constexpr std::string_view kProtocol =
    "\x13"
    "BitTorrent protocol";
constexpr std::size_t kReserved = 20;
constexpr std::size_t kInfoHash = 28;
constexpr std::size_t kPeerId = 48;

constexpr std::byte kExtensionsBit{0x10};  // of reserved[5]
constexpr std::byte kFastBit{0x04};        // of reserved[7]
constexpr std::byte kDhtBit{0x01};         // of reserved[7]

}  // namespace

Result<Handshake> Handshake::parse(std::span<std::byte const, kBytes> bytes) {
    if (std::memcmp(bytes.data(), kProtocol.data(), kProtocol.size()) != 0)
        return error(Errc::malformed, "no BitTorrent handshake");
    auto const info_hash = InfoHash::from_bytes(bytes.subspan(kInfoHash, InfoHash::kBytes));
    if (!info_hash) return info_hash.error();
    Handshake handshake;
    handshake.info_hash = *info_hash;
    std::copy_n(bytes.begin() + kPeerId, handshake.peer_id.size(), handshake.peer_id.begin());
    handshake.extensions = (bytes[kReserved + 5] & kExtensionsBit) != std::byte{0};
    handshake.fast = (bytes[kReserved + 7] & kFastBit) != std::byte{0};
    handshake.dht = (bytes[kReserved + 7] & kDhtBit) != std::byte{0};
    return handshake;
}

std::array<std::byte, Handshake::kBytes> Handshake::encode() const {
    std::array<std::byte, kBytes> bytes{};
    std::memcpy(bytes.data(), kProtocol.data(), kProtocol.size());
    if (extensions) bytes[kReserved + 5] |= kExtensionsBit;
    if (fast) bytes[kReserved + 7] |= kFastBit;
    if (dht) bytes[kReserved + 7] |= kDhtBit;
    std::copy_n(info_hash.bytes().begin(), InfoHash::kBytes, bytes.begin() + kInfoHash);
    std::copy_n(peer_id.begin(), peer_id.size(), bytes.begin() + kPeerId);
    return bytes;
}

}  // namespace rqfs::torrent
