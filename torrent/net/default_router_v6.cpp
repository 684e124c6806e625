#include "torrent/net/default_router_v6.h"

#include "torrent/error.h"
#include "torrent/link_scope.h"
#include "torrent/net/address_policy.h"
#include "torrent/net/endpoint_conversion.h"
#include "torrent/net/interface_addresses.h"

#include <net/if.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kTableBytes = 1u << 20;   // 6,700 routes
constexpr std::uint32_t kUp = 1, kGateway = 2;  // RTF_UP, RTF_GATEWAY of route(8)

template <class Number>
bool hexadecimal(std::string_view text, Number& value) {
    auto const [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    return code == std::errc() && end == text.data() + text.size();
}

std::optional<Address> address_of(std::string_view digits) {
    std::array<std::uint8_t, 16> bytes{};
    if (digits.size() != 2 * bytes.size()) return std::nullopt;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        if (!hexadecimal(digits.substr(2 * i, 2), bytes[i])) return std::nullopt;
    return Address::v6(bytes);
}

// Found by the kernel for packets to the internet; nothing is sent.
Address own_address(InterfaceBinding const& binding) {
    asio::io_context unused;
    asio::ip::udp::socket socket(unused, asio::ip::udp::v6());
    if (auto const code = binding.tie_outgoing(socket.native_handle(), true)) throw boost::system::system_error(code);
    // Any address of the internet and any port: the first of 2000::/3 (RFC 4291, 2.4) has no host.
    constexpr std::uint16_t discard = 9;
    socket.connect(to_udp({Address::v6({0x20}), discard}));
    return from_asio(socket.local_endpoint()).address;
}

Router find_router(InterfaceBinding const& binding, Address const& listening) {
    std::ifstream file("/proc/net/ipv6_route", std::ios::binary);
    std::string table(kTableBytes, '\0');
    file.read(table.data(), static_cast<std::streamsize>(table.size()));
    table.resize(static_cast<std::size_t>(file.gcount()));
    auto const gateway = default_gateway_v6(table, binding.none() ? std::string() : binding.now().device);
    if (!gateway) throw_error(Errc::not_found, "this machine has no IPv6 router");
    auto const interface = ::if_nametoindex(gateway->device.c_str());
    Router router{with_link_scope(gateway->address, interface), listening, interface};
    try {
        if (is_unspecified(listening)) router.own = own_address(binding);
    } catch (boost::system::system_error const& e) {
        throw_error(Errc::not_found, "the IPv6 internet cannot be reached: " + sentence(e));
    }
    if (!may_be_our_own(router.own, false))
        throw_error(Errc::not_found, "this machine's own address " + router.own.text() + " is none of the internet");
    return router;
}

}  // namespace

std::optional<Gateway6> default_gateway_v6(std::string_view routes, std::string_view interface) {
    std::optional<Gateway6> best;
    std::uint32_t best_metric = 0;
    std::istringstream lines{std::string(routes)};
    std::string line;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string destination, prefix, source, source_prefix, gateway, metric, references, use, flags, device;
        words >> destination >> prefix >> source >> source_prefix >> gateway >> metric >> references >> use >> flags >>
            device;
        std::uint32_t bits = 0, weight = 0;
        auto const address = address_of(gateway);
        if (!words || prefix != "00" || source_prefix != "00" || !address || is_unspecified(*address)) continue;
        if (!hexadecimal(flags, bits) || !hexadecimal(metric, weight)) continue;
        if ((bits & (kUp | kGateway)) != (kUp | kGateway)) continue;
        if ((!interface.empty() && device != interface) || (best && weight >= best_metric)) continue;
        best = Gateway6{*address, device};
        best_metric = weight;
    }
    return best;
}

DefaultRouterFinderV6::DefaultRouterFinderV6(Workers& workers, InterfaceBinding binding, Address listening)
    : workers_(workers), binding_(std::move(binding)), listening_(std::move(listening)) {}

asio::awaitable<Router> DefaultRouterFinderV6::find() {
    return workers_.run(Workers::Lane::hash, &find_router, binding_, listening_);
}

}  // namespace rqfs::torrent
