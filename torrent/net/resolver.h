#pragma once

#include "torrent/endpoint.h"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace rqfs::torrent {

// Names to addresses, without blocking the engine. Virtual: tests give their own answers.
class Resolver {
public:
    virtual ~Resolver() = default;
    // Literals answer themselves. Throws system_error (host not found) with the host in its sentence; never an empty
    // list.
    virtual boost::asio::awaitable<std::vector<Address>> resolve(std::string host) = 0;
    // Whether it gave this address in place of a name that somebody else looks up, where it cannot be vetted.
    virtual bool stands_for_name(Address const&) const { return false; }
};

}  // namespace rqfs::torrent
