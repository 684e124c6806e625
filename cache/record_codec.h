#pragma once

#include "cache/torrent_place.h"
#include "torrent/bitfield.h"
#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/store.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace rqfs::cache {

// The bytes of the database's rows. Each is sealed: it ends with a CRC32C over the info-hash it belongs to and everything before,
// so that a row that was damaged or mixed up is noticed and never believed. Integers are little-endian, strings and lists begin
// with their length in 4 bytes. Pure.

using Bytes = std::vector<std::byte>;

// Which pieces of a torrent are on disk, synced, with checksums.
struct StoredPieces {
    std::uint64_t total_bytes = 0;
    std::uint32_t piece_bytes = 0;
    torrent::Bitfield recorded;

    // Whether these facts are those of the torrent as it is now.
    bool fits(TorrentPlace const& place) const {
        return total_bytes == place.total_bytes && piece_bytes == place.piece_bytes && recorded.size() == place.pieces;
    }
};

// Everything but `info`, which has a table of its own.
Bytes encode_torrent(torrent::TorrentRecord const& record);
std::optional<torrent::TorrentRecord> decode_torrent(torrent::InfoHash const& info_hash, std::span<std::byte const> row);

Bytes encode_pieces(torrent::InfoHash const& info_hash, StoredPieces const& pieces);
std::optional<StoredPieces> decode_pieces(torrent::InfoHash const& info_hash, std::span<std::byte const> row);

Bytes encode_checksums(torrent::InfoHash const& info_hash, torrent::PieceIndex piece, std::span<std::uint32_t const> checksums);
std::optional<std::vector<std::uint32_t>> decode_checksums(torrent::InfoHash const& info_hash, torrent::PieceIndex piece,
                                                           std::span<std::byte const> row);

Bytes encode_peers(torrent::InfoHash const& info_hash, std::span<torrent::Endpoint const> peers);
std::optional<std::vector<torrent::Endpoint>> decode_peers(torrent::InfoHash const& info_hash, std::span<std::byte const> row);

// The state of the DHT as its owner wrote it; sealed for no info-hash.
Bytes encode_dht(std::span<std::byte const> state);
std::optional<Bytes> decode_dht(std::span<std::byte const> row);

}  // namespace rqfs::cache
