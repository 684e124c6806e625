#pragma once

#include "torrent/dht/node_id.h"
#include "torrent/hash.h"

#include <array>
#include <bit>
#include <cstddef>
#include <functional>
#include <span>
#include <utility>

namespace rqfs::torrent {

// Chance for the parts of the DHT that take it as an argument: nobody can foretell it, unless a test says what it is.
class DhtRandom {
public:
    using Fill = std::function<void(std::span<std::byte>)>;

    DhtRandom() : fill_(fill_random) {}
    explicit DhtRandom(Fill fill) : fill_(std::move(fill)) {}

    template <class Number>
    Number number() const {
        std::array<std::byte, sizeof(Number)> bytes{};
        fill_(bytes);
        return std::bit_cast<Number>(bytes);
    }

    NodeId id() const {
        std::array<std::byte, NodeId::kBytes> bytes{};
        fill_(bytes);
        return NodeId(bytes);
    }

private:
    Fill fill_;
};

}  // namespace rqfs::torrent
