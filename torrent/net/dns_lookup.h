#pragma once

#include "torrent/clock.h"
#include "torrent/net/dns_options.h"
#include "torrent/net/lingering_sockets.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <vector>

namespace rqfs::torrent {

// One name asked of the name servers, with sockets of its own that are tied to the interface; the questions end with
// it. Engine thread only.
class DnsLookup {
public:
    // Its sockets go to `lingering` at their end, if there is one: a server may be late.
    DnsLookup(boost::asio::any_io_executor const& executor, Clock& clock, DnsOptions const& options,
              std::shared_ptr<LingeringSockets> lingering);
    ~DnsLookup();
    DnsLookup(DnsLookup const&) = delete;
    DnsLookup& operator=(DnsLookup const&) = delete;

    // Once. At most 32 addresses, never none. Has no limit of time for the whole; throws as Resolver.
    boost::asio::awaitable<std::vector<Address>> ask(std::string host);

private:
    class Channel;
    std::unique_ptr<Channel> channel_;
    Clock& clock_;
};

// A sentence when every name server is on this machine's loopback, which nothing tied to another interface reaches.
std::string why_no_server(DnsOptions const& options);

}  // namespace rqfs::torrent
