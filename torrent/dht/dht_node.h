#pragma once

#include "torrent/clock.h"
#include "torrent/dht/address_vote.h"
#include "torrent/dht/answer_limits.h"
#include "torrent/dht/dht_random.h"
#include "torrent/dht/dht_node_state.h"
#include "torrent/dht/krpc_message.h"
#include "torrent/dht/query_budget.h"
#include "torrent/dht/responder.h"
#include "torrent/dht/routing_table.h"
#include "torrent/net/udp_socket.h"
#include "torrent/status.h"
#include "torrent/task_group.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace rqfs::torrent {

// One node of the DHT: the state of one address family, its queries and its answers (BEP 5, 32, 33, 42, 43, 51). Owned
// by Dht; engine thread only; stop() before destroying. Nothing that others send makes it throw.
class DhtNode {
public:
    struct Network {
        boost::asio::any_io_executor executor;
        Clock& clock;
        UdpSocket& socket;
    };
    struct Options {
        bool v6 = false;
        bool read_only = false;
        bool test_network = false;
        NodeId id;
        std::function<bool(Address const&)> refuses;     // who is neither asked nor heard; none: nobody
        bool anonymous = false;                          // does not say which program this is
        std::function<void()> on_contact;                // a node answers after nobody did
        std::function<void(Endpoint const&)> on_failed;  // one that was asked is of no use, while others answer
        std::function<void(Address const&)> on_address;  // ours, as many nodes see us: another one than before
        DhtRandom random;
    };
    using Search = DhtSearch;
    using SearchId = DhtSearchId;

    DhtNode(Network network, Options options);
    DhtNode(DhtNode const&) = delete;
    DhtNode& operator=(DhtNode const&) = delete;

    // `sibling`: the node of the other family, for queries that want its nodes, and to learn of such; may be null.
    void start(DhtNode* sibling);
    boost::asio::awaitable<void> stop();

    // A datagram that begins like a DHT message.
    // False when there were too many of them to look at it.
    bool datagram(Endpoint const& from, std::span<std::byte const> bytes);

    SearchId search(Search search);
    void cancel(SearchId id);
    // Somebody waits for it from now on.
    void hurry(SearchId id);
    // Nodes of the last run, or routers: asked for the nodes near us. Routers never get into the table.
    void bootstrap(std::vector<NodeContact> const& saved, std::vector<Endpoint> const& routers);
    // Somebody said there is a node (a peer's PORT message): it is pinged.
    void add_node(Endpoint const& endpoint);
    // What our address is by the word of others than nodes: counts until nodes have agreed on one.
    void external_address(Address const& address);

    bool is_v6() const { return options_.v6; }
    RoutingTable const& table() const { return table_; }
    Responder const& responder() const { return responder_; }
    std::size_t lookups() const { return lookups_.size(); }
    bool knows_somebody() const { return !table_.empty() || !routers_.empty(); }
    // Nobody has answered for a while, or ever: our line may be down.
    bool hears_nobody() const;
    DhtStatus status() const;

private:
    using Query = DhtQueryInFlight;
    using Run = DhtLookupRun;

    // dht_node.cpp: messages in and out
    void answer(KrpcQuery const& query, Endpoint const& from);
    bool handle(KrpcMessage& message, Endpoint const& from);
    void replied(Query const& query, KrpcReply& reply, Endpoint const& sender);
    void refused(Query const& query, KrpcError const& error, Endpoint const& sender);
    std::optional<Query> take_query(std::string const& transaction, Endpoint const& from);
    bool awaits_reply(Endpoint const& from) const;
    bool ask(Endpoint const& to, KrpcQuery query, Query about);
    std::size_t room(QueryPurpose purpose) { return budget_.room(purpose, in_flight_.size(), network_.clock.now()); }
    void ping(Endpoint const& to);
    void ping_welcome(std::vector<NodeContact> const& nodes);
    void learn_address(Endpoint const& voter, Endpoint const& us);
    void live_at(Address const& address);
    std::vector<NodeContact> usable(std::optional<std::vector<NodeContact>> const& told) const;
    bool refuses(Endpoint const& endpoint) const;
    bool usable(Endpoint const& endpoint) const;
    // dht_node_lookups.cpp
    SearchId begin(Run run);
    boost::asio::awaitable<void> begin_later(SearchId id);
    void lookup_replied(SearchId id, KrpcReply& reply, Endpoint const& from);
    void advance(SearchId id);
    void advance_in_turn(SearchId id);
    void advance_all();
    void end(SearchId id);
    void ask_next(SearchId id, Run& run);
    void announce(Run& run);
    void query_failed(Query const& query);
    void heard_again();
    // dht_node_upkeep.cpp
    bool wants_both_families();
    boost::asio::awaitable<void> upkeep();
    void watch();
    boost::asio::awaitable<void> watch_queries();
    void check_a_node();
    void look_around();
    Duration until_upkeep() const;

    Network network_;
    Options options_;
    DhtNode* sibling_ = nullptr;
    TimePoint next_want_{};
    Duration want_pause_{};
    RoutingTable table_;
    Responder responder_;
    AnswerLimits limits_;
    AddressVote vote_;
    QueryBudget budget_;
    std::map<std::uint32_t, Query> in_flight_;
    RecentAddresses<TimePoint> pinged_;
    std::map<SearchId, Run> lookups_;
    SearchId last_lookup_ = 0;
    std::set<Endpoint> routers_;
    TimePoint looked_around_{};
    TimePoint heard_{};          // when somebody answered last
    std::uint32_t silence_ = 0;  // queries to known nodes since then
    bool watching_ = false;
    std::uint64_t received_bytes_ = 0;
    std::uint64_t sent_bytes_ = 0;
    TaskGroup tasks_;
};

}  // namespace rqfs::torrent
