#pragma once

#include "torrent/clock.h"
#include "torrent/endpoint.h"
#include "torrent/net/connector.h"
#include "torrent/net/proxy_address.h"
#include "torrent/net/proxy_target.h"
#include "torrent/net/resolver.h"
#include "torrent/net/stream_socket.h"

#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <memory>
#include <string>
#include <vector>

namespace rqfs::torrent {

// Connections to the proxy itself: its name is looked up now and then, and its last known addresses go on being used
// where that fails. Finds its relay, too. Engine thread only.
class ProxyDialer {
public:
    // All outlive it.
    ProxyDialer(Clock& clock, Connector& connector, Resolver& resolver, ProxyAddress const& proxy)
        : clock_(clock), connector_(connector), resolver_(resolver), proxy_(proxy) {}

    // A connection to the proxy that has let us in, the whole within `limit`; `about` is what it is for, in the
    // sentence of a refusal. Throws system_error with ProxyErrc. (HTTP lets in or does not with its answer to the
    // request.)
    boost::asio::awaitable<std::unique_ptr<StreamSocket>> dial(Duration limit, std::string about);
    // Where the relay is that the proxy, reached at `own`, names: a name is looked up, as the proxy's own is. Throws
    // system_error: ProxyErrc::malformed where no host can be, or as the resolver does.
    boost::asio::awaitable<Endpoint> find_relay(ProxyTarget named, Address own);
    ProxyAddress const& proxy() const { return proxy_; }

    // What it last did when it was asked for a connection; no code: what it was asked for. Nothing that it does for
    // datagrams alone belongs here: without them the rest goes on.
    void heard(boost::system::error_code const& code, std::string const& what);
    // Its own trouble when it was last dialled or asked, as a sentence; empty: it did its part, or was not needed yet.
    std::string const& trouble() const { return closed_to_us_.empty() ? denies_all_ : closed_to_us_; }

private:
    boost::asio::awaitable<void> open(std::unique_ptr<StreamSocket>& stream, Duration limit, std::string about);
    boost::asio::awaitable<std::unique_ptr<StreamSocket>> dial_any(Duration limit);
    boost::asio::awaitable<void> look_up();
    void tell();

    Clock& clock_;
    Connector& connector_;
    Resolver& resolver_;
    ProxyAddress const& proxy_;
    std::vector<Address> addresses_;
    TimePoint look_up_again_{};
    std::string closed_to_us_;  // it cannot be reached, or does not let us in
    std::string denies_all_;    // it does, but what it answers to a request is its own trouble
    bool told_ = false;         // the log says that it is in trouble
    TimePoint tell_again_{};
};

}  // namespace rqfs::torrent
