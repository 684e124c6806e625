#pragma once

#include "torrent/clock.h"
#include "torrent/dht/dht_node.h"
#include "torrent/dht/dht_random.h"
#include "torrent/dht/dht_state.h"
#include "torrent/dht/search_schedule.h"
#include "torrent/endpoint.h"
#include "torrent/event.h"
#include "torrent/info_hash.h"
#include "torrent/net/resolver.h"
#include "torrent/net/udp_socket.h"
#include "torrent/per_family.h"
#include "torrent/status.h"
#include "torrent/task_group.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rqfs::torrent {

// The DHT as torrents use it: one node for each address family that the UDP socket has. Owned by Session; engine thread
// only; stop() before destroying. Private torrents never come here.
//
// Finds its first nodes among those of the last run, then at the routers, then at whom add_node() names.
class Dht final : public UdpSocket::Receiver {
public:
    struct Network {
        boost::asio::any_io_executor executor;
        Clock& clock;
        UdpSocket& socket;
        Resolver& resolver;
    };
    struct Options {
        std::vector<std::string> routers;                 // HOST:PORT
        bool read_only = false;                           // BEP 43
        bool test_network = false;                        // lifts the vetting of addresses learnt from strangers
        std::function<bool(Endpoint const&)> is_our_own;  // peers that are ourselves, who announced too; none: nobody
        std::function<bool(Address const&)> refuses;      // whom the user keeps away from; none: nobody
        bool anonymous = false;                           // does not say which program this is
        std::function<void(Address const&)> on_address;   // ours, as many nodes see us: another one than before
        DhtRandom random;
    };
    using OnPeers = std::function<void(std::vector<Endpoint> const&)>;

    // A torrent that is looked for again and again while this lives; with it goes everything that is known of the
    // search. Must not outlive the Dht.
    class Search {
    public:
        ~Search();
        // Now, and from then on each quarter of an hour, we are announced as a peer on this port of each family; 0: not.
        void announce(PerFamily<std::uint16_t> ports, bool seed);
        // Somebody waits for peers.
        void hurry();

        struct Progress {
            bool nodes_known = false;  // somebody to ask
            bool searching = false;
            bool unanswered = false;       // it was searched, and nobody answers: ever, or for a while
            std::size_t peers = 0;         // of the search under way or the last one, all families
            std::optional<Duration> next;  // until the next search; none while one is under way
        };
        Progress progress() const;

    private:
        friend class Dht;
        struct Family {
            DhtNode* node;
            SearchSchedule schedule;
            std::uint16_t port = 0;
            DhtNode::SearchId running = 0;
            std::size_t peers = 0;
        };
        Search(Dht& dht, InfoHash const& info_hash, OnPeers on_peers);

        Dht& dht_;
        InfoHash info_hash_;
        OnPeers on_peers_;
        bool seed_ = false;
        std::vector<Family> families_;
    };

    // `state`: of save(), or empty.
    Dht(Network network, Options options, std::span<std::byte const> state);
    ~Dht() override;

    void start();
    boost::asio::awaitable<void> stop();
    std::vector<std::byte> save() const;

    // `on_peers` is called with each peer once a search, unvetted, and never from within a call of the search's.
    std::unique_ptr<Search> find_peers(InfoHash const& info_hash, OnPeers on_peers);
    // A peer's PORT message: an invitation to ask there.
    void add_node(Endpoint const& endpoint);
    // Ours, by the word of others than nodes; of help until nodes have agreed on one.
    void external_address(Address const& address);
    std::vector<DhtStatus> status() const;  // one a family
    std::vector<std::unique_ptr<DhtNode>> const& nodes() const { return nodes_; }

    bool answers() const { return !options_.read_only; }

    bool datagram(Endpoint const& from, std::span<std::byte const> bytes) override;

private:
    void nodes_known();
    void forget_saved(Endpoint const& node);
    boost::asio::awaitable<void> bootstrap();
    boost::asio::awaitable<void> keep_in_touch();
    void seek_nodes();
    bool somebody_waits() const;
    boost::asio::awaitable<void> ask_router(std::string router);
    boost::asio::awaitable<void> search();
    void touch();
    boost::asio::awaitable<void> touched();
    TimePoint begin_due();
    void begin(Search& search, Search::Family& family);
    DhtNode* node_of(Address const& address) const;

    Network network_;
    Options options_;
    DhtState saved_;  // of earlier runs, without the nodes that were asked in vain
    std::vector<std::unique_ptr<DhtNode>> nodes_;
    std::list<Search*> searches_;
    Event changed_;
    bool touched_ = false;
    TaskGroup tasks_;
};

}  // namespace rqfs::torrent
