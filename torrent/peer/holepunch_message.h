#pragma once

#include "torrent/endpoint.h"
#include "torrent/error.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rqfs::torrent {

// A message of the extension ut_holepunch (BEP 55): two peers that nobody can dial meet through a third.
struct HolepunchMessage {
    enum class Type : std::uint8_t { rendezvous = 0, connect = 1, error = 2 };
    enum class Failure : std::uint32_t { none = 0, no_such_peer = 1, not_connected = 2, no_support = 3, no_self = 4 };

    Type type = Type::rendezvous;
    Endpoint endpoint;
    Failure failure = Failure::none;  // of an error; other numbers than BEP 55's are read as no_such_peer

    // The error code that only an error needs may be missing; bytes behind the message are ignored.
    static Result<HolepunchMessage> parse(std::span<std::byte const> payload);
    std::vector<std::byte> encode() const;
    friend bool operator==(HolepunchMessage const&, HolepunchMessage const&) = default;
};

}  // namespace rqfs::torrent
