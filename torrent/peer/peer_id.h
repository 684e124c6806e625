#pragma once

#include <array>
#include <cstddef>
#include <string>

namespace rqfs::torrent {

using PeerId = std::array<std::byte, 20>;

// Ours: -RQvvvv- and 12 random characters (BEP 20), or `anonymous`: 20 random ones; a new one for each torrent and run.
PeerId make_peer_id(bool anonymous = false);

// The client behind an id ("Transmission 3.00", "libtorrent 2.0.8"), or the id made printable.
std::string client_name(PeerId const& id);

}  // namespace rqfs::torrent
