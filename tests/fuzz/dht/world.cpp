#include "tests/fuzz/dht/world.h"

#include <algorithm>
#include <array>

namespace rqfs::tests {

using namespace torrent;

std::uint8_t FuzzInput::next() {
    if (bytes_.empty()) return 0;
    auto const byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
}

std::string FuzzInput::take(std::size_t most) {
    auto const taken = bytes_.first(std::min(most, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return {taken.begin(), taken.end()};
}

Address refused_address() { return Address::v4({22, 22, 22, 22}); }

Address own_address(bool v6) {
    if (!v6) return Address::v4({99, 1, 2, 3});
    return Address::v6({0x2a, 0x03, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
}

Endpoint place(std::uint8_t number) {
    auto const index = static_cast<std::uint8_t>(number & 63);
    switch (number >> 6) {
        case 0: return {Address::v4({20, index, 1, 7}), 6881};
        case 1: return {Address::v4({21, 5, 5, static_cast<std::uint8_t>(index + 1)}), 6881};
        case 2: return {Address::v6({0x2a, 0x02, 0, index, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7}), 6881};
        default: break;
    }
    std::array<Endpoint, 8> const odd{{{Address::v4({127, 0, 0, 1}), 6881},
                                       {Address::v4({20, 0, 1, 7}), 0},
                                       {Address::v4({20, 0, 1, 7}), 7000},
                                       {Address::v4({192, 168, 1, 1}), 6881},
                                       {refused_address(), 6881},
                                       {Address::v4({224, 0, 0, 1}), 6881},
                                       {own_address(false), 6881},
                                       {Address::v4({20, 3, 1, 7}), 80}}};
    return odd[index % odd.size()];
}

Endpoint crowd_place(std::uint32_t number) {
    return {Address::v4({static_cast<std::uint8_t>(30 + (number >> 16) % 8), static_cast<std::uint8_t>(number >> 8),
                         static_cast<std::uint8_t>(number), 7}),
            6881};
}

InfoHash torrent_hash(std::uint8_t number) {
    std::minstd_rand random(1 + number % 8u);
    return any_id(random).info_hash();
}

NodeId any_id(std::minstd_rand& random) {
    std::array<std::byte, NodeId::kBytes> bytes{};
    for (auto& each : bytes) each = static_cast<std::byte>(random() >> 8 & 0xff);
    return NodeId(bytes);
}

NodeId node_id_at(Endpoint const& at, std::uint8_t kind) {
    std::minstd_rand random(static_cast<std::uint32_t>(std::hash<Endpoint>()(at)) + kind / 64u);
    if (kind % 4 != 3) return secure_node_id(at.address, any_id(random));
    return id_within(NodeId(torrent_hash(kind / 4)), 40, any_id(random));
}

}  // namespace rqfs::tests
