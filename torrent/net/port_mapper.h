#pragma once

#include "torrent/endpoint.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rqfs::torrent {

// Who forwards this machine's packets of one address family to the internet, and the address of ours that it knows us
// by. In IPv4 it translates addresses, in IPv6 it has a firewall: either lets in nobody whom we did not speak to.
struct Router {
    Address address;
    Address own;
    unsigned interface = 0;  // the kernel's index of the one it is reached by; IPv6 alone, whose routers are link-local
    friend auto operator<=>(Router const&, Router const&) = default;
};

// Asks the system for its router.
class RouterFinder {
public:
    virtual ~RouterFinder() = default;
    // Throws Errc::not_found with a sentence where there is none.
    virtual boost::asio::awaitable<Router> find() = 0;
};

enum class TransportProtocol { tcp, udp };

// A port of this machine that shall be reached from outside.
struct PortRequest {
    TransportProtocol protocol = TransportProtocol::tcp;
    std::uint16_t internal_port = 0;
    std::uint16_t external_port = 0;   // the one we would like; in IPv6 the same
    std::chrono::seconds lifetime{0};  // 0: for ever
    friend auto operator<=>(PortRequest const&, PortRequest const&) = default;
};

struct PortAnswer {
    enum class Kind {
        mapped,
        conflict,        // somebody else has this external port
        permanent_only,  // the router knows no mappings that end by themselves
    };
    Kind kind = Kind::mapped;
    std::uint16_t external_port = 0;   // when mapped; another one than asked for, where the router chooses
    std::chrono::seconds lifetime{0};  // the same; 0: for ever
    bool table_lost = false;           // what the router mapped before this answer is gone
};

// What a router says of a port that it has mapped.
struct PortState {
    bool kept = true;                   // or nothing is known
    std::optional<Address> external{};  // ours, where it is told by the way
};

// A protocol that asks the router for ports. Virtual: tests have routers of their own. Every wait can be cancelled, and
// what fails throws system_error with a sentence for the user. One call at a time; engine thread only.
class PortMapper {
public:
    virtual ~PortMapper() = default;

    virtual std::string_view name() const = 0;  // "NAT-PMP"
    // Finds out whether the router speaks this protocol: before anything else, and again after a failure or another
    // router. Gives our external address, if the router tells one, private or not.
    virtual boost::asio::awaitable<std::optional<Address>> open(Router router) = 0;
    virtual boost::asio::awaitable<PortAnswer> map(PortRequest request) = 0;
    // Whether it is mapped still, for as little as this can be known: a router that was started again has forgotten it.
    virtual boost::asio::awaitable<PortState> ask_after(PortRequest request) = 0;
    virtual boost::asio::awaitable<void> unmap(PortRequest request) = 0;
};

}  // namespace rqfs::torrent
