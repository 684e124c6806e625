#pragma once

#include "torrent/clock.h"
#include "torrent/net/http_client.h"
#include "torrent/net/interface_binding.h"
#include "torrent/net/port_mapper.h"
#include "torrent/net/resolver.h"
#include "torrent/net/router_connector.h"
#include "torrent/net/upnp_message.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <array>
#include <optional>
#include <string_view>

namespace rqfs::torrent {

// Pinholes in an IPv6 router's firewall (UPnP WANIPv6FirewallControl:1), so that anybody reaches our port at our own
// address: what NAT-PMP and UPnP are to IPv4. A router opens them for whoever asks from the address they lead to.
class PinholeMapper final : public PortMapper {
public:
    // `clock` and `resolver`, which is asked for literals alone, outlive it.
    PinholeMapper(boost::asio::any_io_executor executor, Clock& clock, Resolver& resolver, InterfaceBinding binding);

    std::string_view name() const override { return "UPnP"; }
    // Gives our own address.
    boost::asio::awaitable<std::optional<Address>> open(Router router) override;
    boost::asio::awaitable<PortAnswer> map(PortRequest request) override;
    boost::asio::awaitable<PortState> ask_after(PortRequest request) override;
    boost::asio::awaitable<void> unmap(PortRequest request) override;

private:
    boost::asio::awaitable<HttpClient::Response> fetch(Url url, std::optional<UpnpCall> call);
    boost::asio::awaitable<UpnpReply> ask(UpnpCall call);
    std::optional<int>& pinhole(PortRequest const& request);

    boost::asio::any_io_executor executor_;
    Clock& clock_;
    InterfaceBinding binding_;
    RouterConnector connector_;
    HttpClient http_;
    Router router_;
    UpnpService firewall_;
    std::array<std::optional<int>, 2> pinholes_;  // their numbers, by TransportProtocol
};

}  // namespace rqfs::torrent
