#pragma once

#include "torrent/endpoint.h"

#include <optional>

namespace rqfs::torrent {

// Who told us an address: strangers' words are vetted, the user's are not.
enum class AddressSource { user, magnet, resume, tracker, incoming, pex, dht, lsd };

// Whether we may connect to a peer's address (a tracker must not make us scan the user's router). Denied
// when learnt from strangers: loopback, link-local, multicast, unspecified, broadcast, private ranges, ports below 1024
// and those of well-known local services. A magnet link is a stranger's word that the user passes on: it may name a
// neighbour, but not this machine nor a service, to which the info-hash, 20 bytes of its author's choice, would be
// sent. Our own notes name neighbours too, but may be from a test network. A neighbour that
// speaks by LSD may be link-local, on the interface on which it spoke. Behind a proxy the user alone names what is
// not public: it would be the proxy's network. Pure.
bool may_dial(Endpoint const& endpoint, AddressSource source, bool test_network, bool behind_proxy = false);

// An address that means something in the own network alone: private, link-local or loopback.
bool is_local(Address const& address);

bool is_loopback(Address const& address);

// Of this machine or of a link that it is on: no router passes it on.
bool is_link_local_or_loopback(Address const& address);

// Whether others may tell us that this is our own address, as the internet sees it.
bool may_be_our_own(Address const& address, bool test_network);

// Whether an HTTP client may connect there for a tracker or torrent-file URL given by a stranger (a torrent's tracker
// list, a redirect).
bool may_fetch_from(Address const& address, bool test_network);

// Where to send what a proxy shall relay, of one that we reach at `proxy` and that says it relays at `said`: there,
// except where that is but what it calls itself, from where it stands: unspecified, loopback or link-local, or private
// although the internet knows it by another address. Then at its own. Nothing where no host can be.
std::optional<Address> relay_address(Address const& said, Address const& proxy);

}  // namespace rqfs::torrent
