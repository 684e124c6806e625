#pragma once

#include "torrent/endpoint.h"

#include <boost/asio/awaitable.hpp>

#include <memory>
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

// The machine's resolver. getaddrinfo cannot be interrupted and takes tens of seconds where DNS is dead, so each name
// has a thread of its own that shares nothing but one result handed over through a pair of sockets: whoever is cancelled goes on
// at once, and so does a daemon that ends.
class SystemResolver final : public Resolver {
public:
    boost::asio::awaitable<std::vector<Address>> resolve(std::string host) override;

private:
    struct Lookup;
    std::vector<std::weak_ptr<Lookup>> running_;  // those given up but not yet ended too: they count
};

}  // namespace rqfs::torrent
