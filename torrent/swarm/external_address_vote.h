#pragma once

#include "torrent/endpoint.h"
#include "torrent/settings.h"
#include "torrent/units.h"

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>

namespace rqfs::torrent {

// Our own address as others see it, one a family: what trackers (BEP 24), peers (`yourip` of BEP 10), the DHT's nodes (BEP 42) and our
// router say is counted, so that no single stranger decides it. Pure; owned by Session, fed by all torrents.
//
// A voter has one vote, its newest; of peers and trackers a whole network is one voter, however many names or URLs it
// has. The address with most votes wins when it has at least kNeeded, and a tie changes nothing. Only the newest votes
// are kept, so that a new address of ours is noticed.
class ExternalAddressVote {
public:
    // True when our address of the claim's family is another one now. A tracker that a stranger named, in a magnet link
    // or a torrent, is as good as a peer.
    bool peer_says(Address const& claim, Address const& peer, TimePoint now);
    bool tracker_says(Address const& claim, Address const& tracker, TimePoint now);  // the user named it
    bool router_says(Address const& claim, TimePoint now);
    // What many nodes of the DHT have agreed on: as good as a tracker's word.
    bool nodes_say(Address const& claim, TimePoint now);

    std::optional<Address> const& v4() const { return v4_.winner; }
    std::optional<Address> const& v6() const { return v6_.winner; }
    bool is_ours(Address const& address) const { return v4_.winner == address || v6_.winner == address; }

    static constexpr std::size_t kNeeded = 3;              // peers of distinct networks; the user's tracker counts as so many
    static constexpr std::chrono::minutes kSteadyFor{1};   // every change sorts all torrents' addresses anew

private:
    struct Vote {
        std::string voter;
        Address claim;
        std::size_t weight = 0;
    };
    struct Ballot {  // of one family
        std::deque<Vote> votes;  // oldest first
        std::optional<Address> winner;
        TimePoint changed{};

        bool add(Vote vote, TimePoint now);
        std::size_t weight(Address const& claim) const;
    };

    Ballot& ballot(Address const& claim) { return claim.is_v6() ? v6_ : v4_; }

    Ballot v4_, v6_;
};

}  // namespace rqfs::torrent
