#include "torrent/net/placeholder_address.h"

namespace rqfs::torrent {

bool is_placeholder(Address const& address) {
    return !address.is_v6() && address.bytes()[0] == 0 && address != Address();
}

bool may_answer_for(Endpoint const& from, Endpoint const& to) {
    return from == to || (is_placeholder(to.address) && from.port == to.port);
}

}  // namespace rqfs::torrent
