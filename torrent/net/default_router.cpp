#include "torrent/net/default_router.h"

#include "torrent/error.h"
#include "torrent/net/endpoint_conversion.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <span>
#include <sstream>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kTableBytes = 1u << 20;   // 8,000 routes
constexpr std::uint32_t kUp = 1, kGateway = 2;  // RTF_UP, RTF_GATEWAY of route(8)

// The kernel prints addresses as numbers of this machine.
std::optional<std::uint32_t> hexadecimal(std::string const& text) {
    std::uint32_t value = 0;
    auto const [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// Found by the kernel for packets to the gateway; nothing is sent.
Address own_address(Address const& gateway, InterfaceBinding const& binding) {
    asio::io_context unused;
    asio::ip::udp::socket socket(unused, asio::ip::udp::v4());
    if (auto const code = binding.tie_outgoing(socket.native_handle(), false)) throw boost::system::system_error(code);
    constexpr std::uint16_t discard = 9;  // any port does
    socket.connect(to_udp({gateway, discard}));
    return from_asio(socket.local_endpoint()).address;
}

Router find_router(InterfaceBinding const& binding) {
    std::ifstream file("/proc/net/route", std::ios::binary);
    std::string table(kTableBytes, '\0');
    file.read(table.data(), static_cast<std::streamsize>(table.size()));
    table.resize(static_cast<std::size_t>(file.gcount()));
    auto const gateway = default_gateway(table, binding.none() ? std::string() : binding.now().device);
    if (!gateway) throw_error(Errc::not_found, "this machine has no IPv4 router");
    try {
        return {*gateway, own_address(*gateway, binding)};
    } catch (boost::system::system_error const& e) {
        throw_error(Errc::not_found, "the router " + gateway->text() + " cannot be reached: " + sentence(e));
    }
}

}  // namespace

std::optional<Address> default_gateway(std::string_view routes, std::string_view interface) {
    std::optional<Address> best;
    std::uint64_t best_metric = 0;
    std::istringstream lines{std::string(routes)};
    std::string line;
    std::getline(lines, line);  // the columns' names
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string name, destination, gateway, flags, references, use, mask;
        std::uint64_t metric = 0;
        words >> name >> destination >> gateway >> flags >> references >> use >> metric >> mask;
        auto const bits = hexadecimal(flags);
        auto const address = hexadecimal(gateway);
        if (!words || hexadecimal(destination) != 0u || hexadecimal(mask) != 0u) continue;
        if (!bits || (*bits & (kUp | kGateway)) != (kUp | kGateway) || !address || *address == 0) continue;
        if ((!interface.empty() && name != interface) || (best && metric >= best_metric)) continue;
        best = *Address::from_bytes(std::as_bytes(std::span(&*address, 1)));
        best_metric = metric;
    }
    return best;
}

DefaultRouterFinder::DefaultRouterFinder(Workers& workers, InterfaceBinding binding)
    : workers_(workers), binding_(std::move(binding)) {}

asio::awaitable<Router> DefaultRouterFinder::find() {
    return workers_.run(Workers::Lane::hash, &find_router, binding_);
}

}  // namespace rqfs::torrent
