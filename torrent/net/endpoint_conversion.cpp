#include "torrent/net/endpoint_conversion.h"

#include "torrent/link_scope.h"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

#include <algorithm>
#include <cstdint>

namespace rqfs::torrent {

namespace asio = boost::asio;

asio::ip::address to_asio(Address const& scoped) {
    auto const address = without_link_scope(scoped);
    auto const bytes = address.bytes();
    if (address.is_v6()) {
        asio::ip::address_v6::bytes_type sixteen{};
        std::copy(bytes.begin(), bytes.end(), sixteen.begin());
        return asio::ip::address_v6(sixteen, link_scope(scoped));
    }
    asio::ip::address_v4::bytes_type four{};
    std::copy(bytes.begin(), bytes.end(), four.begin());
    return asio::ip::address_v4(four);
}

Address from_asio(asio::ip::address const& address) {
    if (address.is_v6()) {
        std::array<std::uint8_t, 16> bytes{};
        auto const theirs = address.to_v6().to_bytes();
        std::copy(theirs.begin(), theirs.end(), bytes.begin());
        return with_link_scope(Address::v6(bytes), static_cast<std::uint32_t>(address.to_v6().scope_id()));
    }
    std::array<std::uint8_t, 4> bytes{};
    auto const theirs = address.to_v4().to_bytes();
    std::copy(theirs.begin(), theirs.end(), bytes.begin());
    return Address::v4(bytes);
}

asio::ip::tcp::endpoint to_tcp(Endpoint const& endpoint) { return {to_asio(endpoint.address), endpoint.port}; }
asio::ip::udp::endpoint to_udp(Endpoint const& endpoint) { return {to_asio(endpoint.address), endpoint.port}; }
Endpoint from_asio(asio::ip::tcp::endpoint const& endpoint) { return {from_asio(endpoint.address()), endpoint.port()}; }
Endpoint from_asio(asio::ip::udp::endpoint const& endpoint) { return {from_asio(endpoint.address()), endpoint.port()}; }

}  // namespace rqfs::torrent
