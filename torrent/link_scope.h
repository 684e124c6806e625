#pragma once

#include "torrent/endpoint.h"

#include <cstdint>

namespace rqfs::torrent {

// Link-local IPv6 addresses (fe80::/10) mean something on one interface alone. Which one that is is kept in the address
// itself, in the 32 bits after its first 16, where RFC 4291, 2.5.6 has nothing but zeros: so it is compared, hashed and
// carried along wherever the address goes. Sockets give an address its scope and take it away again, and so does text
// of the form fe80::1%2. Bytes that others send may have those bits set, too: nobody dials a link-local address because
// of them (address_policy), and nobody else is told one. Pure.

// fe80::/10.
bool is_link_local_v6(Address const& address);

// The kernel's index of the interface; 0 for any other address, and where it is not known.
std::uint32_t link_scope(Address const& address);

// Unchanged unless link-local. One that has bits of its own where the scope belongs is nobody's: it becomes ::.
Address with_link_scope(Address const& address, std::uint32_t interface);

// As it is known on its link.
Address without_link_scope(Address const& address);

}  // namespace rqfs::torrent
