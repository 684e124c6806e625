#include "torrent/session_context.h"

#include "torrent/address_filter.h"
#include "torrent/dht/dht.h"
#include "torrent/net/address_policy.h"
#include "torrent/net/resolver.h"

namespace rqfs::torrent {

bool SessionContext::refuses(Address const& address) const { return filter != nullptr && filter->refuses(address); }

bool SessionContext::may_dial(Endpoint const& endpoint, AddressSource source) const {
    // A name that the proxy looks up cannot be vetted; the user may say one.
    bool const named = source == AddressSource::user && resolver.stands_for_name(endpoint.address);
    if (!named && !torrent::may_dial(endpoint, source, settings.test_network, !settings.proxy.empty())) return false;
    if (refuses(endpoint.address)) return false;
    return source == AddressSource::user || !is_our_own(endpoint);
}

bool SessionContext::serves_dht() const { return dht != nullptr && dht->answers(); }

std::uint16_t SessionContext::port_for(Address const& address) const {
    return (is_neighbour(address) ? listening_ports : announced_ports)[address.is_v6()];
}

}  // namespace rqfs::torrent
