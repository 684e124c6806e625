#include "torrent/dht/household.h"

#include "torrent/dht/node_id.h"

namespace rqfs::torrent {

Address household_of(Address const& address) { return address.is_v6() ? network_of(address) : address; }

}  // namespace rqfs::torrent
