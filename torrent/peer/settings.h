#pragma once

#include <chrono>
#include <cstddef>

// Limits on what one peer can make grow by telling of others, each with its source. LT: libtorrent 2.
namespace rqfs::torrent::limit {

// Peer exchange (BEP 11) and holepunching (BEP 55).
inline constexpr std::size_t kPexPeersPerMessage = 50;       // BEP 11, added and dropped each, sent
inline constexpr std::size_t kPexPeersInFirstMessage = 100;  // sent; BEP 11 sets no limit; LT
inline constexpr std::size_t kPexPeersRead = 200;  // of one family and list of a message; the others are not looked at
// New to us and named from one address: at once as many as BEP 11 has in a message, so that the first one counts in
// full, which a start lives on; then five a minute, for an honest peer names more only as its own peers change. Five
// lying addresses so name fewer in an hour than a peer list has entries.
inline constexpr std::size_t kNamedAtOnce = 50;
inline constexpr std::chrono::minutes kNamedAgainIn{10};
inline constexpr std::size_t kNamersRemembered = 512;     // by each torrent: its connections several times over
inline constexpr std::size_t kPexMessagesAMinute = 2;     // used; BEP 11 allows one, clocks differ
inline constexpr std::size_t kPexMessagesBeforeDrop = 6;  // in a minute, then we hang up: LT
inline constexpr std::size_t kHolepunchesAMinute = 20;    // relayed for one peer, and dials it may cause

}  // namespace rqfs::torrent::limit
