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
    // Literals answer themselves. Throws system_error (host not found) with the host in its sentence; never an empty list.
    virtual boost::asio::awaitable<std::vector<Address>> resolve(std::string host) = 0;
};

// The machine's resolver (getaddrinfo, on Asio's own thread).
class SystemResolver final : public Resolver {
public:
    boost::asio::awaitable<std::vector<Address>> resolve(std::string host) override;
};

}  // namespace rqfs::torrent
