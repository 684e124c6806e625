#pragma once

#include "torrent/dht/compact_nodes.h"
#include "torrent/dht/node_id.h"
#include "torrent/endpoint.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace rqfs::torrent {

// The nodes of one address family that we know to exist, by distance from us (BEP 5). Owned by a DhtNode; pure.
//
// Only nodes that answered a query of ours are taken in. Good: answered within 15 minutes, or has ever answered and
// asked us within 15; bad: did not answer three times running, or only with errors; questionable: the others, who are
// asked again at once. Whoever owns the table asks whom next_check() names, and says how it went, so that no node stays
// questionable and no bucket is older than 15 minutes. Against whoever has many addresses: one node an address, one per
// network (/24, /64) in a bucket and 8 in all, and in the large buckets 8 nodes in each part of the range; a node whose
// id follows from its address (BEP 42) takes the place of one whose id does not.
class RoutingTable {
public:
    enum class State { good, questionable, bad };

    // What a node is to be asked to stay known: for its bucket's nodes, or only whether it lives.
    struct Check {
        NodeContact node;
        std::optional<NodeId> find;  // in the bucket's range
    };

    struct Counts {
        std::size_t good = 0, questionable = 0, bad = 0, replacements = 0;
    };
    struct BucketStatus {
        std::size_t nodes = 0, most_nodes = 0, replacements = 0;
        TimePoint refreshed;  // when somebody answered last who was asked for its nodes; zero: nobody yet
    };

    // `restrict_addresses` false: a test network, where many nodes share an address or a network.
    RoutingTable(NodeId const& own, bool restrict_addresses) : own_(own), restrict_(restrict_addresses), buckets_(1) {}

    NodeId const& own() const { return own_; }
    // Sorts everything anew around another id of ours.
    void change_own(NodeId const& own, TimePoint now);

    // A node answered a query of ours. One that has changed its id is dropped: it comes back when it asks us.
    void replied(NodeContact const& node, TimePoint now);
    // An answer to a query for the nodes around `target` came.
    void refreshed(NodeId const& target, TimePoint now);
    // A node asked us.
    void queried(NodeContact const& node, TimePoint now);
    // A query stayed unanswered, or was answered with an error; `keep`: nobody is removed for it, it may be our own line that is down.
    void failed(Endpoint const& node, TimePoint now, bool keep = false);
    // Our line was down: what failed since then is questionable at most.
    void forgive(TimePoint since);

    // Whether a node that we only heard of would get a place, if it answered.
    bool welcome(NodeContact const& node, TimePoint now) const;
    // The nearest nodes to `target`, nearest first: good ones, and others that are not bad where they are too few or
    // `questionable_too`. At most half of them may have ids that do not follow from their addresses, if there are
    // others.
    std::vector<NodeContact> closest(NodeId const& target, std::size_t count, bool questionable_too,
                                     TimePoint now) const;

    // So many nodes whose ids follow from their addresses the network has, judged by how near to us the nearest are; 0:
    // too few are known to say.
    double estimated_nodes(TimePoint now) const;

    // Those that were not asked for longest, in whatever state: for when nobody answers.
    std::vector<NodeContact> longest_unasked(std::size_t count) const;

    // The node that has waited longest for a check, if one is due; it then counts as asked.
    std::optional<Check> next_check(NodeId const& random, TimePoint now);
    TimePoint next_check_time() const;  // may lie in the past; the end of time when the table is empty

    std::optional<State> state(Endpoint const& node, TimePoint now) const;  // nothing: not in the table
    Counts counts(TimePoint now) const;
    std::size_t buckets() const { return buckets_.size(); }
    BucketStatus bucket(std::size_t index) const;  // 0 to buckets() - 1, the farthest first
    bool empty() const { return by_endpoint_.empty(); }
    bool has_good(TimePoint now) const;
    // For the next run: those that answered last, first.
    std::vector<NodeContact> to_save(std::size_t most) const;

private:
    struct Node {
        NodeContact contact;
        TimePoint replied;
        TimePoint queried;
        TimePoint asked;
        std::uint8_t failures = 0;
        bool secure = false;
    };
    struct Bucket {
        std::vector<Node> nodes;
        std::vector<Node> replacements;  // answered once; latest last
        TimePoint refreshed{};
        TimePoint tried{};            // somebody was asked for its nodes
        std::uint32_t refreshes = 0;  // that were answered
    };

    static State state_of(Node const& node, TimePoint now);
    static TimePoint check_time(Node const& node);
    static Duration refresh_interval(Bucket const& bucket, std::size_t capacity);
    static TimePoint refresh_time(Bucket const& bucket, std::size_t capacity);
    std::size_t bucket_of(NodeId const& id) const;
    Node* find(NodeContact const& contact);
    NodeId id_in_bucket(std::size_t index, NodeId const& random) const;
    Node* helper(std::size_t index, TimePoint now);
    bool restricted(NodeContact const& contact) const;
    bool part_is_full(std::size_t index, NodeId const& id) const;
    bool has_free_place(std::size_t index, NodeId const& id) const;
    bool may_replace(std::size_t index, NodeId const& id, Node const& node) const;
    bool has_place(std::size_t index, NodeContact const& contact, TimePoint now) const;
    void insert(Node node, TimePoint now);
    void place(std::size_t index, Node node, TimePoint now);
    void split();
    void add_replacement(Bucket& bucket, Node node);
    void remove(NodeContact const& contact);
    void promote(std::size_t index);
    void forget_address(NodeContact const& contact);

    NodeId own_;
    bool restrict_;
    std::vector<Bucket> buckets_;  // the index is the number of bits shared with us; the last has all that share more
    std::map<Endpoint, NodeId> by_endpoint_;       // of nodes and replacements
    std::map<Address, std::uint32_t> by_network_;  // how many of each /24
};

}  // namespace rqfs::torrent
