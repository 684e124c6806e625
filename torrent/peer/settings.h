#pragma once

#include <cstddef>

// Limits on what one peer can make grow by telling of others, each with its source. LT: libtorrent 2.
namespace rqfs::torrent::limit {

// Peer exchange (BEP 11) and holepunching (BEP 55).
inline constexpr std::size_t kPexPeersPerMessage = 50;       // BEP 11, added and dropped each, sent
inline constexpr std::size_t kPexPeersInFirstMessage = 100;  // sent; BEP 11 sets no limit; LT
inline constexpr std::size_t kPexPeersRead = 200;  // of one family and list of a message; the others are not looked at
// Named by one peer at a time, added and not dropped: LT. As many as BEP 11 lets it exchange for others in a message.
inline constexpr std::size_t kPexPeersPerPeer = 50;
inline constexpr std::size_t kPexMessagesAMinute = 2;     // used; BEP 11 allows one, clocks differ
inline constexpr std::size_t kPexMessagesBeforeDrop = 6;  // in a minute, then we hang up: LT
inline constexpr std::size_t kHolepunchesAMinute = 20;    // relayed for one peer, and dials it may cause

}  // namespace rqfs::torrent::limit
