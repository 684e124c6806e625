#include "torrent/peer/holepunch_message.h"

#include "torrent/peer/message.h"

#include <string>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kHeadBytes = 2;  // type, address family
constexpr std::size_t kPortBytes = 2;
constexpr std::size_t kFailureBytes = 4;

HolepunchMessage::Failure failure_of(std::uint32_t number) {
    if (number > static_cast<std::uint32_t>(HolepunchMessage::Failure::no_self))
        return HolepunchMessage::Failure::no_such_peer;
    return static_cast<HolepunchMessage::Failure>(number);
}

}  // namespace

Result<HolepunchMessage> HolepunchMessage::parse(std::span<std::byte const> payload) {
    if (payload.size() < kHeadBytes)
        return error(Errc::malformed, "holepunch message of " + std::to_string(payload.size()) + " bytes");
    auto const type = std::to_integer<std::uint8_t>(payload[0]);
    auto const family = std::to_integer<std::uint8_t>(payload[1]);
    if (type > static_cast<std::uint8_t>(Type::error))
        return error(Errc::malformed, "holepunch message of type " + std::to_string(type));
    if (family > 1) return error(Errc::malformed, "holepunch message with address family " + std::to_string(family));
    std::size_t const address_bytes = family == 0 ? 4 : 16;
    auto const rest = payload.subspan(kHeadBytes);
    if (rest.size() < address_bytes + kPortBytes)
        return error(Errc::malformed, "holepunch message of " + std::to_string(payload.size()) + " bytes");

    HolepunchMessage message;
    message.type = static_cast<Type>(type);
    auto const address = Address::from_bytes(rest.first(address_bytes));
    if (!address) return address.error();
    auto const port = rest.subspan(address_bytes, kPortBytes);
    message.endpoint = {*address, static_cast<std::uint16_t>((std::to_integer<unsigned>(port[0]) << 8) |
                                                             std::to_integer<unsigned>(port[1]))};
    auto const failure = rest.subspan(address_bytes + kPortBytes);
    if (message.type != Type::error) return message;
    if (failure.size() < kFailureBytes) return error(Errc::malformed, "holepunch error without its code");
    message.failure = failure_of(read_be32(failure.first(kFailureBytes)));
    return message;
}

std::vector<std::byte> HolepunchMessage::encode() const {
    std::vector<std::byte> out{static_cast<std::byte>(type), endpoint.address.is_v6() ? std::byte{1} : std::byte{0}};
    append_compact(endpoint, out);
    append_be32(out, static_cast<std::uint32_t>(failure));  // there in every message (BEP 55)
    return out;
}

}  // namespace rqfs::torrent
