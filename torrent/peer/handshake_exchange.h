#pragma once

#include "torrent/clock.h"
#include "torrent/info_hash.h"
#include "torrent/net/stream_socket.h"
#include "torrent/peer/handshake.h"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <optional>

namespace rqfs::torrent {

// The first 68 bytes each way on a fresh stream, all within limit::kHandshakeTimeout however slowly they trickle in.
// Exactly those bytes are read. Both throw system_error: Errc::timed_out, malformed, not_found, not_allowed (it is
// ourselves), or the socket's own.

// We dialled: ours goes out first. Returns theirs, which is for the same torrent and not from us.
boost::asio::awaitable<Handshake> shake_hands_outgoing(Clock& clock, StreamSocket& socket, Handshake ours);

// They dialled: says what we answer for a torrent, or nothing when we have no such torrent to offer. Called once.
using FindTorrent = std::function<std::optional<Handshake>(InfoHash const&)>;

// Nothing is told to who does not name a torrent of ours first. Returns theirs.
boost::asio::awaitable<Handshake> shake_hands_incoming(Clock& clock, StreamSocket& socket, FindTorrent find);

}  // namespace rqfs::torrent
