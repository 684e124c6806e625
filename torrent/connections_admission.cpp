// Who joins the connected: peers that dialled us, and those we dialled, once they have shaken hands.
#include "torrent/admission.h"
#include "torrent/connections.h"
#include "torrent/settings.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace rqfs::torrent {

void Connections::adopt_incoming(std::unique_ptr<StreamSocket> socket, Handshake const& theirs) {
    auto const remote = socket->remote();
    if (!running_ || known_.banned(remote.address)) return;
    adopt(std::move(socket), theirs, remote, PeerSource::incoming, true);
}

bool Connections::is_one_too_many(Address const& address) const {
    if (session_.settings.test_network) return false;
    bool const whole_network = !session_.is_neighbour(address);  // our own /64 is many people's
    return from_one_party(peers_, address, whole_network) >= limit::kPeersPerAddress;
}

bool Connections::admits(StreamSocket const& socket, Handshake const& theirs, Endpoint const& listed, bool incoming) {
    auto const address = socket.remote().address;
    auto const now = session_.clock.now();
    if (!running_ || session_.connections.full()) return false;
    if (session_.refuses(address)) return false;  // a list has changed since it was dialled
    auto const* const known = known_.find(listed);
    if (!incoming && known == nullptr) return false;  // forgotten since it was dialled
    Newcomer const newcomer{theirs, address, incoming};
    auto const second = second_connection(peers_, newcomer, peer_id_, now);
    if (second.refused) return false;
    if (second.replaced != nullptr) {
        second.replaced->close("a second connection to the same peer");
        return true;
    }
    bool const users = !incoming && known->user();
    if (!users && is_one_too_many(address)) return false;
    if (!incoming) return true;
    auto const taken = std::count_if(peers_.begin(), peers_.end(),
                                     [](auto const& each) { return each.second.connection->reason().empty(); });
    auto const places = std::max<std::size_t>(target(), limit::kIdleTorrentConnections);
    return static_cast<std::size_t>(taken) < places || replace_useless(now, true);
}

}  // namespace rqfs::torrent
