#pragma once

#include "torrent/hash.h"
#include "torrent/info_hash.h"
#include "torrent/shared_bytes.h"
#include "torrent/store.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <vector>

namespace rqfs::cache {

// A made-up torrent: its content comes from its seed.
struct Content {
    Content(std::uint32_t seed, std::uint64_t total_bytes, std::uint32_t piece_bytes) : bytes(total_bytes) {
        std::mt19937_64 random(seed);
        std::size_t i = 0;
        for (; i + 8 <= bytes.size(); i += 8) {
            auto const word = random();
            for (std::size_t b = 0; b < 8; ++b) bytes[i + b] = static_cast<std::byte>(word >> (8 * b));
        }
        for (; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(random());
        auto made = std::make_shared<torrent::PieceFacts>();
        made->total_bytes = total_bytes;
        made->piece_bytes = piece_bytes;
        for (std::uint64_t at = 0; at < total_bytes; at += piece_bytes)
            made->hashes.push_back(torrent::sha1(std::span(bytes).subspan(at, std::min<std::uint64_t>(piece_bytes, total_bytes - at))));
        facts = made;
        std::array<std::byte, 20> id{};
        for (std::size_t k = 0; k < 4; ++k) id[k] = static_cast<std::byte>(seed >> (8 * k));
        info_hash = torrent::InfoHash(id);
    }

    std::uint32_t pieces() const { return static_cast<std::uint32_t>(facts->hashes.size()); }
    std::span<std::byte const> piece(std::uint32_t index) const {
        auto const begin = std::uint64_t{index} * facts->piece_bytes;
        return std::span(bytes).subspan(begin, std::min<std::uint64_t>(facts->piece_bytes, bytes.size() - begin));
    }
    torrent::SharedBytes shared(std::uint32_t index) const {
        auto const part = piece(index);
        return torrent::SharedBytes(std::vector<std::byte>(part.begin(), part.end()));
    }
    torrent::TorrentRecord record() const {
        torrent::TorrentRecord made;
        made.info_hash = info_hash;
        made.display_name = "torrent " + info_hash.short_hex();
        return made;
    }

    std::vector<std::byte> bytes;
    std::shared_ptr<torrent::PieceFacts const> facts;
    torrent::InfoHash info_hash;
};

}  // namespace rqfs::cache
