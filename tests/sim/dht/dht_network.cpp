#include "tests/sim/dht/dht_network.h"

#include "torrent/net/address_policy.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <string_view>

namespace rqfs::tests {

using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t kPort = 6881;
constexpr std::size_t kHeads = 28;

}  // namespace

void CountingSocket::send(torrent::Endpoint const& to, std::span<std::byte const> datagram) {
    std::string_view const text(reinterpret_cast<char const*>(datagram.data()), datagram.size());
    if (text.find("1:q9:get_peers") != std::string_view::npos) ++searches;
    bytes_out += datagram.size() + kHeads;
    under_.send(to, datagram);
}

bool CountingSocket::Incoming::datagram(torrent::Endpoint const&, std::span<std::byte const> datagram) {
    bytes += datagram.size() + kHeads;
    return false;
}

DhtNetwork::DhtNetwork(std::uint32_t seed) : network(engine.get_executor(), clock, seed), random(seed), chance_(~seed) {
    access.latency = 25ms;
    options.random = torrent::DhtRandom([this](std::span<std::byte> bytes) {
        for (auto& each : bytes) each = static_cast<std::byte>(chance_() & 0xff);
    });
}

DhtNetwork::~DhtNetwork() {
    for (auto const& member : members)
        if (member->dht) stop(*member);
}

torrent::Address DhtNetwork::random_address() {
    for (;;) {
        auto const bits = random();
        auto const address =
            torrent::Address::v4({static_cast<std::uint8_t>(bits), static_cast<std::uint8_t>(bits >> 8),
                                  static_cast<std::uint8_t>(bits >> 16), static_cast<std::uint8_t>(bits >> 24)});
        if (may_dial({address, kPort}, torrent::AddressSource::dht, false)) return address;
    }
}

torrent::InfoHash DhtNetwork::random_hash() {
    std::array<std::byte, 20> bytes{};
    for (auto& each : bytes) each = static_cast<std::byte>(random() & 0xff);
    return torrent::InfoHash(bytes);
}

DhtNetwork::Member& DhtNetwork::add_host() {
    auto& member = *members.emplace_back(std::make_unique<Member>());
    member.host = &network.add({{random_address(), kPort}}, access);
    member.host->start();
    member.socket = std::make_unique<CountingSocket>(member.host->udp());
    return member;
}

void DhtNetwork::start(Member& member) {
    torrent::Dht::Network const where{engine.get_executor(), clock, *member.socket, network.resolver()};
    member.dht = std::make_unique<torrent::Dht>(where, options, std::span<std::byte const>());
    member.dht->start();
    if (options.routers.size() < 3) options.routers.push_back(member.endpoint().text());
}

DhtNetwork::Member& DhtNetwork::join() {
    auto& member = add_host();
    start(member);
    return member;
}

void DhtNetwork::join(std::size_t count, torrent::Duration time) {
    for (std::size_t i = 0; i < count; ++i) {
        join();
        run_for(time / static_cast<int>(count));
    }
}

void DhtNetwork::stop(Member& member) {
    bool stopped = false;
    boost::asio::co_spawn(engine, member.dht->stop(), [&](std::exception_ptr) { stopped = true; });
    clock.run_until(engine, 1s, [&] { return stopped; });
    member.dht.reset();
}

void DhtNetwork::leave(Member& member) {
    stop(member);
    if (member.impostor) member.socket->remove(*member.impostor);
    member.socket.reset();
    network.remove(*member.host);
    member.host = nullptr;
}

DhtNetwork::Member& DhtNetwork::random_member() {
    for (;;) {
        auto& member = *members[below(members.size())];
        if (member.dht && !member.impostor) return member;
    }
}

std::vector<torrent::Endpoint> DhtNetwork::announce(std::vector<torrent::InfoHash> const& torrents,
                                                    std::size_t members_each) {
    std::vector<torrent::Endpoint> announced;
    std::vector<std::unique_ptr<torrent::Dht::Search>> searches;
    for (auto const& info_hash : torrents) {
        std::set<Member*> chosen;
        while (chosen.size() < members_each) {
            auto& member = random_member();
            if (!chosen.insert(&member).second) continue;
            searches.push_back(member.dht->find_peers(info_hash, [](auto const&) {}));
            searches.back()->announce({kPort, kPort}, false);
            announced.push_back(member.endpoint());
        }
    }
    run_for(8s);
    return announced;
}

DhtNetwork::Found DhtNetwork::look_up(Member& member, torrent::InfoHash const& info_hash) {
    Found found;
    auto const began = clock.now();
    auto const queries = member.socket->searches;
    auto const search = member.dht->find_peers(info_hash, [&](std::vector<torrent::Endpoint> const& peers) {
        if (!found.first_peer) found.first_peer = clock.now() - began;
        found.peers.insert(peers.begin(), peers.end());
    });
    bool began_lookup = false;
    clock.run_until(engine, 20s, [&] {
        auto const lookups = member.dht->status().front().lookups;
        began_lookup = began_lookup || member.socket->searches > queries;
        return began_lookup && lookups == 0;
    });
    found.queries = member.socket->searches - queries;
    return found;
}

}  // namespace rqfs::tests
