#include "torrent/swarm/external_address_vote.h"

#include "torrent/address_network.h"

#include <algorithm>
#include <utility>

namespace rqfs::torrent {

bool ExternalAddressVote::peer_says(Address const& claim, Address const& peer, TimePoint now) {
    // A peer sees the one address of ours that it is connected with; of the other family it knows nothing.
    if (claim.is_v6() != peer.is_v6()) return false;
    return ballot(claim).add({"peer " + site_of(peer).text(), claim, 1}, now);
}

bool ExternalAddressVote::tracker_says(Address const& claim, Address const& tracker, TimePoint now) {
    return ballot(claim).add({"tracker " + site_of(tracker).text(), claim, kNeeded}, now);
}

bool ExternalAddressVote::router_says(Address const& claim, TimePoint now) {
    return ballot(claim).add({"router", claim, kNeeded}, now);
}

bool ExternalAddressVote::nodes_say(Address const& claim, TimePoint now) {
    return ballot(claim).add({"nodes", claim, kNeeded}, now);
}

bool ExternalAddressVote::Ballot::add(Vote vote, TimePoint now) {
    std::erase_if(votes, [&](Vote const& old) { return old.voter == vote.voter; });
    votes.push_back(std::move(vote));
    if (votes.size() > limit::kExternalAddressVotes) votes.pop_front();
    if (winner && now - changed < kSteadyFor) return false;

    auto best = winner;
    auto most = winner ? std::max(weight(*winner), kNeeded - 1) : kNeeded - 1;
    for (auto const& candidate : votes) {
        auto const has = weight(candidate.claim);
        if (has <= most) continue;
        best = candidate.claim;
        most = has;
    }
    if (best == winner) return false;
    winner = best;
    changed = now;
    return true;
}

std::size_t ExternalAddressVote::Ballot::weight(Address const& claim) const {
    std::size_t sum = 0;
    for (auto const& vote : votes)
        if (vote.claim == claim) sum += vote.weight;
    return sum;
}

}  // namespace rqfs::torrent
