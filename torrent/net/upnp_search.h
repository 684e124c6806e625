#pragma once

#include "torrent/clock.h"
#include "torrent/net/interface_binding.h"
#include "torrent/net/port_mapper.h"
#include "torrent/net/url.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace rqfs::torrent {

// Asks by SSDP (UPnP Device Architecture 1.1) where the router describes itself, over its address family; only its own
// answer is taken. Throws system_error with a sentence where it does not answer. `clock` lives until it returns.
boost::asio::awaitable<Url> find_upnp_description(boost::asio::any_io_executor executor, Clock& clock,
                                                  InterfaceBinding binding, Router router);

}  // namespace rqfs::torrent
