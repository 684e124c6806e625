#pragma once

#include "torrent/dht/compact_nodes.h"
#include "torrent/dht/node_id.h"
#include "torrent/endpoint.h"
#include "torrent/limits.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::torrent {

// One iterative search for the nodes nearest to an id (BEP 5): whom to ask next, and when it is done. Owned by a
// DhtNode; pure.
//
// Asked are only nodes among the nearest that are known so far, a few at a time; a node that is slow gives its place to
// the next without being given up. It is done when the nearest that live have answered: 8 whose id follows from their
// address (BEP 42), and 4 whose id does not, since whoever may choose ids can sit as near to a torrent as it likes. Who
// tells of nodes that do not answer is neither followed nor counted; of one address one node counts, of one network
// (/24, /64) three. A search for peers goes on past 16 nodes that know none, or such as nobody else tells of; and where
// half of the nearest hardly know the target's neighbours, past all such strangers, whom it does not follow either.
// Nodes that are nearer than so many can be by chance do not end it; and when it takes long, half of the queries go to
// far nodes of our own table, which know their way past whoever crowds around the target.
class Lookup {
public:
    // A node near the target that answered; where to announce.
    struct Found {
        NodeContact node;
        std::string token;  // empty: it gave none
    };

    // `restrict_addresses` false: a test network, where many nodes share an address.
    Lookup(NodeId const& target, bool restrict_addresses) : target_(target), restrict_(restrict_addresses) {}

    NodeId const& target() const { return target_; }

    // Where to begin: nodes of the table, or addresses of which no more is known (routers).
    void start_with(std::vector<NodeContact> const& nodes);
    void start_with(Endpoint const& router);

    // So many nodes whose ids follow from their addresses make up the network, as far as is known; 0: not known.
    void expect_nodes(double nodes) { nodes_ = nodes; }

    // It is peers that are looked for, not nodes alone.
    void seek_peers() { seeks_peers_ = true; }

    // Whom to ask now, at most so many; each counts as asked. To be called after every answer and failure, and from
    // time to time.
    std::vector<NodeContact> next(TimePoint now, std::size_t most = limit::kDhtLookupQueries);
    // False: nobody was asked, or another id was expected there; what came with it is not to be used.
    bool replied(NodeContact const& from, std::vector<NodeContact> const& nodes, std::string token, TimePoint now);
    // The node that just replied told of these peers.
    void told(Endpoint const& by, std::vector<Endpoint> const& peers);
    void failed(Endpoint const& node);

    // As of the last call of next().
    bool finished();
    // The nearest that answered, nearest first: to be announced to. BEP 5 says the nearest 8; these are the 12 that
    // end a search (see above), and more where many know no peers, are strangers or crowd, because whoever searches
    // among liars then meets one that kept the peer: with 8, where four nodes of five lie, a quarter of the searches
    // missed some of the peers and a sixth all of them.
    std::vector<Found> closest() const;

    std::size_t queries() const { return queries_; }
    std::size_t replies() const { return replies_; }
    bool has_candidates() const { return !candidates_.empty() || !routers_.empty(); }

private:
    enum class State : std::uint8_t { fresh, asked, slow, replied, failed };
    struct Candidate {
        NodeContact contact;
        bool secure = false;
        State state = State::fresh;
        std::vector<std::uint16_t> tellers;  // who told of it: indices into tellers_
        std::size_t words = 0;               // what it told itself: index into tellers_
        TimePoint asked;
        std::string token;
        bool knows_peers = false;  // of which another node told too
    };
    // How good the nodes were that one node told of.
    struct Teller {
        std::uint16_t lived = 0;
        std::uint16_t died = 0;
        std::uint16_t around = 0;  // so many of the target's neighbours it told of
    };
    // How many a walk outwards has seen that count.
    struct Reach {
        explicit Reach(std::size_t living_secure);
        bool ends(bool for_secure) const;  // who is farther does not count
        std::size_t most_insecure;
        std::size_t secure = 0;
        std::size_t insecure = 0;
        std::size_t silent = 0;
        std::size_t strangers = 0;
        std::size_t plausible = 0;
        std::size_t crowded = 0;
    };
    // The nearest candidates, as far as they count; what they still need.
    struct Front {
        std::vector<Candidate*> to_ask;
        bool waiting = false;  // for some that were asked
    };

    Front front();
    NodeContact ask(Candidate& candidate);
    Candidate* outsider();
    bool counts(Reach& reach, Candidate const& candidate) const;
    bool lies(std::size_t teller) const;
    bool only_liars_know(Candidate const& candidate) const;
    void credit(Candidate const& candidate, bool lived);
    void add(NodeContact const& contact, std::uint16_t teller);
    bool address_taken(Candidate const& candidate) const;
    void judge();
    bool is_stranger(std::size_t teller) const;
    bool only_strangers_know(Candidate const& candidate) const;
    bool is_silent(Candidate const& candidate) const;
    bool is_crowded(Reach const& reach, Candidate const& candidate) const;
    bool waits_for_slow() const;
    void notice_slow(TimePoint now);
    Duration patience() const;
    void learn_round_trip(Duration measured);

    NodeId target_;
    bool restrict_;
    bool seeks_peers_ = false;
    double nodes_ = 0;                              // in the network
    bool among_strangers_ = false;                  // as of the last judge()
    std::map<Endpoint, Endpoint> told_by_;          // peers: who told of them first
    std::vector<Candidate> candidates_;             // nearest first
    std::vector<Candidate> routers_;                // ids unknown
    std::vector<Teller> tellers_{1};                // the first is our own table
    std::map<Address, Endpoint> busy_;              // addresses that were asked and have not failed
    std::map<Address, std::size_t> busy_networks_;  // how many of them each /24 has
    TimePoint now_;                                 // of the last next()
    std::size_t queries_ = 0;
    std::size_t replies_ = 0;
    std::size_t insecure_queries_ = 0;
    std::optional<Duration> round_trip_;  // smoothed
};

}  // namespace rqfs::torrent
