#include "tests/fuzz/require.h"
#include "torrent/net/upnp_message.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

using namespace rqfs::torrent;
using rqfs::tests::require;

// What a router, or somebody in its place, writes: an answer to a search, a description, a reply to a call.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    static auto const router = Address::v4({192, 168, 1, 1});
    static auto const at = Url::parse("http://192.168.1.1:5000/rootDesc.xml").value();
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    auto const url = parse_upnp_search_reply(std::as_bytes(std::span(data, size)), router, router);
    require(!url || (url->host == at.host && url->scheme == "http"), "the router alone is asked further");
    require(url || !url.error().what.empty(), "a refusal says why");
    auto const services = parse_upnp_description(text, at);
    require(services.size() <= 2, "no more than are kept");
    for (auto const& service : services) {
        require(service.control.host == at.host, "the router alone is called");
        auto const call = upnp_address_call(service);
        require(call.headers.find('\n') + 1 < call.headers.size(), "two header lines");
        require(call.headers.find("\r\n\r\n") == std::string_view::npos, "the router writes no headers of ours");
        require(call.body.find("<u:GetExternalIPAddress ") != std::string_view::npos, "a call is what it was");
    }
    static auto const at6 = Url::parse("http://[fe80::1]:5000/rootDesc.xml").value();
    auto const firewall = parse_upnp_firewall(text, at6);
    require(!firewall || firewall->control.host == at6.host, "the router alone is called");
    auto const reply = parse_upnp_reply(200, text);
    require(!reply.address || !reply.address->is_v6(), "IPv4 alone is translated");
    return 0;
}
