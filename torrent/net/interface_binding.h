#pragma once

#include "torrent/endpoint.h"

#include <boost/system/error_code.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {

// The one interface of this machine that all traffic takes (network.interface), as every socket is told before it is
// bound or connected. A socket that cannot be told must not be used: nothing ever takes another way. A plain value;
// asks the kernel, never waits.
class InterfaceBinding {
public:
    // The interface as it is at the moment.
    struct Attachment {
        unsigned index = 0;  // the kernel's; 0: it is not there, or down
        std::string device;  // its name
        bool loopback = false;
        std::vector<Address> addresses;  // that we may speak from; in order, IPv6 without the link-local ones

        // Somebody beyond the local network can be spoken to.
        bool has(bool v6) const;
        bool has(Address const& address) const;
        // Others can reach us where we listen: there, or anywhere where it is unspecified (0.0.0.0, ::).
        bool serves(Address const& listening) const;
        friend bool operator==(Attachment const&, Attachment const&) = default;
    };

    InterfaceBinding() = default;  // none: all ways that the machine has
    // The name of an interface, which need not be there, or a numeric address, of the interface that has it; empty:
    // none.
    explicit InterfaceBinding(std::string_view setting);

    bool none() const { return setting_.empty(); }
    std::string const& text() const { return setting_; }
    // Null: a name was given.
    std::optional<Address> const& address() const { return address_; }
    // With an address the other family is never used.
    bool allows(bool v6) const { return !address_ || address_->is_v6() == v6; }
    Attachment now() const;

    // Ties a socket, open and neither bound nor connected, to the interface. Codes: network_down while it is not there,
    // network_unreachable when it has no address of this family, operation_not_permitted (EPERM) where the kernel is
    // older than Linux 5.7 and we lack CAP_NET_RAW.
    boost::system::error_code tie(int descriptor, bool v6) const;
    // The same for a socket that will connect or send: the address given is its source.
    boost::system::error_code tie_outgoing(int descriptor, bool v6) const;

private:
    std::string setting_;
    std::optional<Address> address_;
};

}  // namespace rqfs::torrent
