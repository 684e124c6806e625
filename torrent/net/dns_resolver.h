#pragma once

#include "torrent/clock.h"
#include "torrent/net/dns_options.h"
#include "torrent/net/hosts_file.h"
#include "torrent/net/resolver.h"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace rqfs::torrent {

class DnsLookup;
class Event;
class LingeringSockets;
class Workers;

// Literals, the machine's own list of names, then DNS over both families through c-ares, without threads. Each lookup
// has a channel of its own: it is called off at once, knows the name servers as they are now, and its questions leave
// from ports of their own. Codes: host_not_found for a name that does not exist, host_not_found_try_again for all else.
// Engine thread only.
class DnsResolver final : public Resolver {
public:
    explicit DnsResolver(Clock& clock);  // clock outlives it
    DnsResolver(Clock& clock, DnsOptions options);
    // The list of names is read and searched by these workers, which outlive it, and otherwise by the caller.
    DnsResolver(Clock& clock, Workers& workers, DnsOptions options);
    ~DnsResolver() override;

    boost::asio::awaitable<std::vector<Address>> resolve(std::string host) override;

    // Why no name can be found as things are, for the user; empty when there is no reason known.
    std::string problem() const;

private:
    DnsResolver(Clock& clock, Workers* workers, DnsOptions options);
    boost::asio::awaitable<std::vector<Address>> find_in_list(std::string host);
    boost::asio::awaitable<std::vector<Address>> look_up(std::string host);
    boost::asio::awaitable<void> wait_for_interface();

    Clock& clock_;
    DnsOptions options_;
    Workers* workers_;                             // may be null
    std::shared_ptr<LingeringSockets> lingering_;  // of lookups; looked at by the next one. Null where nothing is bound
    HostsFile::Shared hosts_;
    std::unique_ptr<Event> list_free_;  // since the first lookup
    bool list_in_use_ = false;          // one at a time: when the list has changed it is read once
    std::size_t running_ = 0;
};

}  // namespace rqfs::torrent
