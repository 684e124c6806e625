#include "torrent/neighbours.h"

namespace rqfs::torrent {

bool Neighbours::contains(Address const& address) {
    auto const now = clock_.now();
    if (!asked_ || now - *asked_ >= kFresh) {
        networks_ = local_networks(listening_, binding_);
        asked_ = now;
    }
    return is_neighbour(networks_, address);
}

}  // namespace rqfs::torrent
