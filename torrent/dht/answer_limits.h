#pragma once

#include "torrent/recent_addresses.h"
#include "torrent/token_bucket.h"
#include "torrent/endpoint.h"
#include "torrent/units.h"

#include <cstddef>

namespace rqfs::torrent {

// Which queries of others we look at, and how long our answers may be: so that nobody's router or desktop suffers, ours
// or that of somebody in whose name a query was sent. Owned by a DhtNode; pure.
//
// Of IPv6 a whole household has what an address of IPv4 has (household_of), however many of its addresses ask.
//
// An address is proven once it has answered us or shown a token of ours. An unproven one gets a few full answers, as
// much as an honest search needs, and from then on less than one and a half times the bytes that came from it. Proven
// and unproven addresses have separate shares, so that a flood in false names does not keep out nodes that we know;
// while a share is nearly used up, those who asked least are heard first.
class AnswerLimits {
public:
    AnswerLimits();

    // Called for each query before it is parsed: whether to look at it.
    bool admit(Address const& from, std::size_t bytes, TimePoint now);
    // How many bytes the answer may have; 0: none. Call sent() if there is one.
    std::size_t room(Address const& to, TimePoint now);
    void sent(Address const& to, std::size_t bytes, TimePoint now);
    // It has shown that what we send there arrives.
    void proved(Address const& address, TimePoint now);

    bool is_proven(Address const& address, TimePoint now);

private:
    struct Entry {
        TokenBucket queries;
        TokenBucket credit;  // bytes
    };
    struct Share {
        Share();
        RecentAddresses<Entry> households;
        TokenBucket queries;
    };

    static Entry fresh_entry();

    RecentAddresses<TimePoint> proven_until_;  // whole addresses: others of a household may be made up
    Share proven_;
    Share unproven_;
    TokenBucket bytes_;
};

}  // namespace rqfs::torrent
