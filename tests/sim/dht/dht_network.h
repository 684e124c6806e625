#pragma once

#include "tests/support/simulated_network.h"
#include "tests/support/virtual_clock.h"
#include "torrent/dht/dht.h"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <vector>

namespace rqfs::tests {

// What leaves a host on its way to the network and what comes, counted.
class CountingSocket final : public torrent::UdpSocket {
public:
    explicit CountingSocket(torrent::UdpSocket& under) : under_(under) { under_.add(incoming_); }
    ~CountingSocket() override { under_.remove(incoming_); }

    void send(torrent::Endpoint const& to, std::span<std::byte const> bytes) override;
    void add(Receiver& receiver) override { under_.add(receiver); }
    void remove(Receiver& receiver) override { under_.remove(receiver); }
    std::vector<torrent::Endpoint> local() const override { return under_.local(); }

    std::size_t searches = 0;  // get_peers queries
    // With the heads of IPv4 and UDP.
    std::uint64_t bytes_out = 0;
    std::uint64_t bytes_in = 0;

private:
    // Hears before everybody else, and leaves it to them.
    struct Incoming final : Receiver {
        explicit Incoming(std::uint64_t& total) : bytes(total) {}
        bool datagram(torrent::Endpoint const& from, std::span<std::byte const> datagram) override;
        std::uint64_t& bytes;
    };

    torrent::UdpSocket& under_;
    Incoming incoming_{bytes_in};
};

// A DHT of our nodes at addresses of the whole internet, in virtual time: 100 ms round trips. The first three are the
// routers.
class DhtNetwork {
public:
    struct Member {
        SimulatedHost* host = nullptr;
        std::unique_ptr<CountingSocket> socket;
        std::unique_ptr<torrent::UdpSocket::Receiver>
            impostor;                       // sees what comes before the node does; else it is honest
        std::unique_ptr<torrent::Dht> dht;  // none: gone
        torrent::Endpoint endpoint() const { return host->endpoint(); }
    };
    struct Found {
        std::optional<torrent::Duration> first_peer;
        std::set<torrent::Endpoint> peers;
        std::size_t queries = 0;
    };

    explicit DhtNetwork(std::uint32_t seed);
    ~DhtNetwork();

    Member& join();
    void join(std::size_t count, torrent::Duration time);
    void leave(Member& member);
    // A member that answers queries as `make` has it.
    template <class Make>
    Member& join_impostor(Make make) {
        auto& member = add_host();
        member.impostor = make(*member.socket);
        member.socket->add(*member.impostor);
        start(member);
        return member;
    }

    torrent::Address random_address();
    torrent::InfoHash random_hash();
    Member& random_member();  // an honest one that is there
    std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random); }
    void run_for(torrent::Duration time) { clock.run_for(engine, time); }

    // Members of each torrent announce themselves and stop to search; what they announced stays. They are told: those
    // of the first torrent, then those of the next.
    std::vector<torrent::Endpoint> announce(std::vector<torrent::InfoHash> const& torrents,
                                            std::size_t members_each = 3);
    Found look_up(Member& member, torrent::InfoHash const& info_hash);

    boost::asio::io_context engine;
    VirtualClock clock;
    SimulatedNetwork network;
    SimulatedAccess access;
    std::mt19937 random;
    std::vector<std::unique_ptr<Member>> members;
    torrent::Dht::Options options;

private:
    Member& add_host();
    void start(Member& member);
    void stop(Member& member);

    std::mt19937 chance_;  // the nodes' own
};

}  // namespace rqfs::tests
