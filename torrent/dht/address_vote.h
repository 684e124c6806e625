#pragma once

#include "torrent/endpoint.h"
#include "torrent/units.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>

namespace rqfs::torrent {

// What our address is, as others see us (BEP 42): the word of many, each network heard once a round, since whoever has
// one address of it may have them all. Owned by a DhtNode; pure.
class AddressVote {
public:
    // A laboratory's nodes are of one network: each of its addresses is heard.
    explicit AddressVote(bool one_vote_a_network = true) : one_vote_a_network_(one_vote_a_network) {}

    // `voter` said in an answer to a query of ours that we are `us`. The address once a round has decided on another
    // one than before.
    std::optional<Address> vote(Address const& voter, Address const& us, TimePoint now);

    std::optional<Address> const& winner() const { return winner_; }
    bool voted() const { return voted_; }
    // It is this one until the first who agree say something else.
    void assume(Address const& us) {
        winner_ = us;
        voted_ = false;
    }

private:
    std::optional<Address> decide();

    bool one_vote_a_network_;
    std::optional<Address> winner_;
    bool voted_ = false;  // for the winner, which else is assumed
    std::set<Address> voters_;
    std::map<Address, std::uint32_t> votes_;
    TimePoint began_{};
};

}  // namespace rqfs::torrent
