#pragma once

#include "torrent/clock.h"
#include "torrent/net/connector.h"
#include "torrent/net/interface_binding.h"
#include "torrent/net/port_mapper.h"

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace rqfs::torrent {

// Dials the IPv6 router and nobody else, on the interface where it is and from the address of ours for which it shall
// do something: it does that for no other.
class RouterConnector final : public Connector {
public:
    // `clock` outlives it.
    RouterConnector(Clock& clock, InterfaceBinding binding);

    void use(Router const& router) { router_ = router; }
    boost::asio::awaitable<std::unique_ptr<StreamSocket>> connect(Endpoint endpoint, Duration limit) override;

private:
    boost::asio::awaitable<std::unique_ptr<StreamSocket>> dial(Endpoint endpoint);

    Clock& clock_;
    InterfaceBinding binding_;
    Router router_;
};

}  // namespace rqfs::torrent
