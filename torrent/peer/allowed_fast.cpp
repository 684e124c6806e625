#include "torrent/peer/allowed_fast.h"

#include "torrent/hash.h"
#include "torrent/peer/message.h"

#include <algorithm>
#include <span>

namespace rqfs::torrent {

std::vector<PieceIndex> allowed_fast_set(Address const& peer, InfoHash const& info_hash, std::uint32_t pieces,
                                         std::size_t count) {
    std::vector<PieceIndex> set;
    if (peer.is_v6()) return set;
    count = std::min<std::size_t>(count, pieces);
    // The network of the address (its /24), so that a neighbour of a peer gains nothing, and the info-hash.
    std::vector<std::byte> seed;
    for (std::uint8_t const b : peer.bytes()) seed.push_back(std::byte{b});
    seed.back() = std::byte{0};
    seed.insert(seed.end(), info_hash.bytes().begin(), info_hash.bytes().end());

    auto digest = sha1(seed);
    while (set.size() < count) {
        for (std::size_t at = 0; at + 4 <= digest.size() && set.size() < count; at += 4) {
            PieceIndex const piece(read_be32(std::span(digest).subspan(at, 4)) % pieces);
            if (std::find(set.begin(), set.end(), piece) == set.end()) set.push_back(piece);
        }
        digest = sha1(digest);
    }
    return set;
}

}  // namespace rqfs::torrent
