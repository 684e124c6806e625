#pragma once

#include "torrent/clock.h"
#include "torrent/net/http_client.h"
#include "torrent/net/interface_binding.h"
#include "torrent/net/port_mapper.h"
#include "torrent/net/upnp_message.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string_view>

namespace rqfs::torrent {

// UPnP-IGD. libminiupnpc reads what routers write; the talking is ours, because the library's cannot be called off,
// takes answers of any length, and does not tell who answered.
class UpnpMapper final : public PortMapper {
public:
    // `http` reaches the router without a proxy; it and the clock outlive this.
    UpnpMapper(boost::asio::any_io_executor executor, Clock& clock, HttpClient& http, InterfaceBinding binding);

    std::string_view name() const override { return "UPnP"; }
    boost::asio::awaitable<std::optional<Address>> open(Router router) override;
    boost::asio::awaitable<PortAnswer> map(PortRequest request) override;
    boost::asio::awaitable<PortState> ask_after(PortRequest request) override;
    boost::asio::awaitable<void> unmap(PortRequest request) override;

private:
    boost::asio::awaitable<HttpClient::Response> fetch(Url url, std::optional<UpnpCall> call);
    boost::asio::awaitable<UpnpReply> ask(UpnpService service, UpnpCall call);

    boost::asio::any_io_executor executor_;
    Clock& clock_;
    HttpClient& http_;
    InterfaceBinding binding_;
    Router router_;
    UpnpService service_;
};

}  // namespace rqfs::torrent
