#pragma once

#include "torrent/endpoint.h"
#include "torrent/recent_addresses.h"
#include "torrent/units.h"

namespace rqfs::torrent {

// How many addresses that are new to us the peers at one address may name, whatever the message (BEP 11, BEP 55, its
// own address in the other family) and over however many connections: each is dialled, and nobody shall send us to a
// crowd of victims or crowd out those whom honest peers named. limit::kNamedAtOnce, and limit::kNamedAgainIn later as
// many again, one by one. Pure.
//
// An IPv6 peer's address is its /64: a household has all of it.
class NamingBudget {
public:
    NamingBudget();

    bool may_name(Address const& by, TimePoint now);
    void named(Address const& by, TimePoint now);

private:
    // Since when nothing is spent, in the future while something is: each name moves it on by its share of the time.
    RecentAddresses<TimePoint> whole_at_;
};

}  // namespace rqfs::torrent
