#pragma once

#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/units.h"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace rqfs::torrent {

// The tokens with which those we answered may announce to us (BEP 5): bound to their address and the torrent, good for
// 5 to 10 minutes, nothing remembered. Owned by a DhtNode; pure.
class Tokens {
public:
    using Secret = std::array<std::byte, 16>;  // nobody may guess it

    Tokens(Secret const& secret, TimePoint now) : current_(secret), previous_(secret), since_(now) {}

    // Whether it is time for another secret.
    bool is_old(TimePoint now) const;
    void rotate(Secret const& fresh, TimePoint now);

    std::string make(Address const& address, InfoHash const& info_hash) const;  // 8 bytes
    bool valid(std::string_view token, Address const& address, InfoHash const& info_hash) const;

private:
    Secret current_;
    Secret previous_;
    TimePoint since_;
};

}  // namespace rqfs::torrent
