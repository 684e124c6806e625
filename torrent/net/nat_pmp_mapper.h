#pragma once

#include "torrent/clock.h"
#include "torrent/net/interface_binding.h"
#include "torrent/net/nat_pmp_epoch.h"
#include "torrent/net/port_mapper.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string_view>

namespace rqfs::torrent {

// NAT-PMP (RFC 6886), by libnatpmp, whose sockets never block: it asks again by itself when nothing is answered. Only
// the router's own address is listened to.
class NatPmpMapper final : public PortMapper {
public:
    // The clock outlives it.
    NatPmpMapper(boost::asio::any_io_executor executor, Clock& clock, InterfaceBinding binding);
    ~NatPmpMapper() override;

    std::string_view name() const override { return "NAT-PMP"; }
    boost::asio::awaitable<std::optional<Address>> open(Router router) override;
    boost::asio::awaitable<PortAnswer> map(PortRequest request) override;
    boost::asio::awaitable<PortState> ask_after(PortRequest request) override;
    boost::asio::awaitable<void> unmap(PortRequest request) override;

private:
    struct Conversation;

    boost::asio::any_io_executor executor_;
    Clock& clock_;
    InterfaceBinding binding_;
    std::optional<Address> router_;
    NatPmpEpoch epoch_;  // of that router
    std::unique_ptr<Conversation> conversation_;
};

}  // namespace rqfs::torrent
