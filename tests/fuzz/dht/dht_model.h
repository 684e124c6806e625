#pragma once

#include "torrent/dht/dht.h"
#include "torrent/dht/krpc_message.h"
#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace rqfs::tests {

// What must hold of a Dht, judged by nothing but what comes and goes and what it says of itself; whatever does not ends
// the program. Told of everything that happens to one Dht, from its start to its stop.
class DhtModel {
public:
    // A query of the Dht's that may still be answered.
    struct Asked {
        torrent::Endpoint to;
        torrent::KrpcQuery query;
        torrent::TimePoint sent;
    };

    DhtModel(bool read_only, torrent::TimePoint now) : read_only_(read_only), began_(now) {}

    // Whose peers are looked for: nobody else's may be.
    void search_begins(torrent::InfoHash const& info_hash) { ++searches_[info_hash]; }
    void search_ends(torrent::InfoHash const& info_hash);

    // Its owner named a node, or the last run did.
    void told_of(torrent::Endpoint const& node) { heard_of_.insert(node); }
    void comes(torrent::Endpoint const& from, std::string const& bytes, torrent::TimePoint now);
    // The query, if it is one.
    std::optional<torrent::KrpcQuery> leaves(torrent::Endpoint const& to, std::span<std::byte const> bytes,
                                             torrent::TimePoint now);
    // All that came is dealt with.
    void settled();
    void check(torrent::Dht const& dht, torrent::TimePoint now);

    std::vector<Asked> const& asked() const { return asked_; }
    // The token given to this address last; empty: none.
    std::string token(torrent::Address const& address, torrent::InfoHash const& info_hash) const;

private:
    // A token bucket turned over: how much of a burst is used.
    struct Level {
        double bytes = 0;
        torrent::TimePoint at{};
        void add(double more, double per_second, double burst, torrent::TimePoint now, char const* what);
    };
    struct Stranger {
        double in = 0;
        double out = 0;
    };
    using Token = std::tuple<torrent::Address, torrent::InfoHash, std::string>;

    void asks(torrent::Endpoint const& to, torrent::KrpcQuery const& query, std::size_t bytes, torrent::TimePoint now);
    void answers(torrent::Endpoint const& to, torrent::KrpcMessage const& answer, std::size_t bytes,
                 torrent::TimePoint now);
    void answered_announcement(torrent::Endpoint const& to, torrent::KrpcQuery const& query, bool accepted,
                               torrent::TimePoint now);
    void answered_question(torrent::Endpoint const& to, torrent::KrpcQuery const& query,
                           torrent::KrpcReply const& reply, torrent::TimePoint now);
    void pings(torrent::Address const& to, torrent::TimePoint now);
    void amplifies(torrent::Address const& to, double bytes, torrent::TimePoint now);
    void came_in_answer(torrent::Endpoint const& from, torrent::KrpcMessage const& message, torrent::TimePoint now);
    void check_table(torrent::DhtNode const& node, torrent::TimePoint now) const;

    bool read_only_;
    torrent::TimePoint began_;
    std::map<torrent::InfoHash, std::size_t> searches_;
    std::vector<Asked> asked_;
    std::map<std::pair<torrent::Endpoint, std::string>, std::vector<torrent::KrpcQuery>> to_answer_;
    std::map<torrent::Endpoint, std::set<torrent::NodeId>> answered_us_;
    std::set<torrent::Endpoint> heard_of_;  // from their own queries, from whom we asked, or from our owner
    std::map<torrent::Address, torrent::TimePoint> pinged_;  // the last time
    std::set<torrent::Address> proven_;                      // may be: they answered, or showed a token
    std::map<torrent::Address, Stranger> strangers_;
    std::map<Token, torrent::TimePoint> tokens_;  // when given, the last time
    std::map<std::pair<torrent::InfoHash, torrent::Endpoint>, torrent::TimePoint> announced_;
    Level answers_[2], queries_[2];  // of each family
};

}  // namespace rqfs::tests
