#pragma once

#include "torrent/net/interface_binding.h"
#include "torrent/net/port_mapper.h"
#include "torrent/workers.h"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string_view>

namespace rqfs::torrent {

// The IPv4 gateway of the default route with the lowest metric in the text of /proc/net/route; of this interface alone,
// where one is named. Nothing where there is none. Pure.
std::optional<Address> default_gateway(std::string_view routes, std::string_view interface = {});

// The router as the kernel's table has it. `workers` outlive it.
class DefaultRouterFinder final : public RouterFinder {
public:
    DefaultRouterFinder(Workers& workers, InterfaceBinding binding);

    boost::asio::awaitable<Router> find() override;

private:
    Workers& workers_;
    InterfaceBinding binding_;
};

}  // namespace rqfs::torrent
