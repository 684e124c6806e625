#pragma once

#include "torrent/endpoint.h"

namespace rqfs::torrent {

// An address that stands for a name: in 0.0.0.0/8, where no host is (RFC 1122, 3.2.1.3), as SOCKS 4A marks names.
// Vetting refuses it wherever a stranger says it. Pure.
bool is_placeholder(Address const& address);

// Whether a datagram from there may be the answer to one sent to `to`. The real address behind a placeholder is not
// ours to know: its port, and whatever in the answer cannot be guessed, have to do.
bool may_answer_for(Endpoint const& from, Endpoint const& to);

}  // namespace rqfs::torrent
