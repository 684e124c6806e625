#pragma once

#include "torrent/endpoint.h"
#include "torrent/limits.h"
#include "torrent/swarm/eviction_order.h"
#include "torrent/swarm/known_peer.h"
#include "torrent/swarm/network_shares.h"
#include "torrent/swarm/peer_source.h"
#include "torrent/units.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace rqfs::torrent {

// The addresses we know of one torrent, where from, and which to dial next. Pure; owned by Torrent.
//
// Whether an address may be dialled at all (loopback, private networks, ports) is judged before it is added.
class PeerList {
public:
    struct Options {
        std::size_t entries = limit::kPeerListEntries;
        // Per /24 (IPv6: /64) and source; the user's own are not counted, and neighbours have a limit of their own.
        // 0: no such limits (test networks).
        std::size_t per_network_and_source = limit::kPeersPerNetworkAndSource;
        // Makes the order of dialling differ between us and others as long as our external address is unknown.
        std::uint32_t seed = 0;
    };

    explicit PeerList(Options const& options) : options_(options) {}

    // False when it was refused: banned, its network's share is used up, no room, or port 0.
    bool add(Endpoint const& endpoint, PeerSource source, TimePoint now);
    // One was named that is not dialled: the user's filter refuses it, or strangers may not name such.
    void turned_away(bool by_filter) { (by_filter ? filter_refused_ : vetting_refused_) = true; }
    // Our address as others see it, one a family (BEP 24, or `yourip` of BEP 10), with our listening port.
    void set_external(Endpoint const& own);

    // Both are addresses of one peer, of different families, by its own word: one connection to it is enough. That is
    // believed until another source names one of them too, lest a peer hide others. Unknown ones are not linked.
    void same_peer(Endpoint const& one, Endpoint const& other);

    // The best one to dial now, which is then `dialling` until one of the calls below, with its twin if it has one;
    // seeds are left out when we are one ourselves. Order: the user's, fewest failures, local peers (LSD), BEP 40's priority, longest ago.
    std::optional<Endpoint> next(bool skip_seeds, TimePoint now);
    // When next() may have one though none is added; nothing: never.
    std::optional<TimePoint> next_dial(bool skip_seeds) const;
    // Whether next() would give an address that never failed and was not tried lately.
    bool somebody_waits(bool skip_seeds, TimePoint now) const;
    void failed(Endpoint const& endpoint, TimePoint now);
    void abandoned(Endpoint const& endpoint);  // the dial was called off: no failure
    void postponed(Endpoint const& endpoint, TimePoint now);  // we could not dial anybody: no failure, but not again at once
    // It let us in and left at once. Waited for like a failure, but it is there: never given up for that.
    void hung_up(Endpoint const& endpoint, TimePoint now);
    // False when the address is not known (an incoming peer's port that we were not told).
    bool connected(Endpoint const& endpoint, TimePoint now);
    // useful: the connection got through the handshake and neither side broke the protocol.
    void disconnected(Endpoint const& endpoint, bool useful, TimePoint now);
    void set_seed(Endpoint const& endpoint, bool seed);
    // Whether it sent us data in the connection that ends: then it is worth another dial soon, not only after a minute.
    void set_giver(Endpoint const& endpoint, bool giver);
    // We left it because nothing was needed, which may change any moment: no wait before the next dial.
    void retry(Endpoint const& endpoint, TimePoint now);
    // It left for another's sake: that one and others come first.
    void set_aside(Endpoint const& endpoint, TimePoint now);
    // Everybody idle and not given up may be dialled at once: after a pause, or (`somebody_waits`) when the network may be
    // back: then whoever hung up has answered and is asked again, but ever later.
    void retry_all(TimePoint now, bool somebody_waits = false);

    // Proof of bad data: forgotten, and refused from now on. The oldest bans end when there are kBans.
    void ban(Address const& address);
    bool banned(Address const& address) const { return banned_.contains(address); }

    // Never worth another dial: ourselves, or a proven liar where an address is shared by many (laboratories).
    void give_up(Endpoint const& endpoint, TimePoint now);
    // As if it had never been learnt, whatever its state.
    void forget(Endpoint const& endpoint);
    // Forgets every address that none of `sources` told us; connected ones stay until they leave.
    void keep_only(std::span<PeerSource const> sources);

    KnownPeer const* find(Endpoint const& endpoint) const;
    // The ones worth remembering on disk, best first: lately useful, then never failed; none given up.
    std::vector<KnownPeer> best(std::size_t count) const;

    struct Counts {
        std::size_t known = 0;  // without those given up
        std::size_t idle = 0;
        std::size_t dialling = 0;
        std::size_t connected = 0;
        std::size_t seeds = 0;
        std::size_t banned = 0;
        bool filter_refused = false;   // some that were named, so far
        bool vetting_refused = false;  // the same
    };
    Counts counts() const;
    NetworkShares const& shares() const { return shares_; }

    static constexpr std::size_t kBans = 4'096;                // 10 times the connections of a session
    static constexpr std::chrono::milliseconds kSoonRedial{2500};  // doubled with each failure
    static constexpr std::chrono::minutes kLongestRedial{10};  // for those never given up: the user's own, and who hangs up
    static constexpr std::chrono::hours kGivenUpFor{1};        // then it may be learnt anew
    static constexpr std::chrono::minutes kSetAsideFor{10};    // two rounds of the turnover

private:
    class Change;

    bool share_used_up(Endpoint const& endpoint, PeerSource source) const;
    std::size_t ports_of_neighbour(Address const& address) const;
    void forget_old_marks(TimePoint now);
    bool make_room();
    void erase(std::map<Endpoint, KnownPeer>::iterator entry);
    void unlink(KnownPeer& peer);
    bool twin_busy(KnownPeer const& peer) const;
    std::uint32_t priority(Endpoint const& endpoint) const;
    bool dialable(KnownPeer const& peer, bool skip_seeds) const;
    void back_off(KnownPeer& peer, TimePoint now);

    Options options_;
    std::map<Endpoint, KnownPeer> peers_;  // ordered: strangers choose the keys, and a hash table could be flooded
    NetworkShares shares_;
    EvictionOrder evictable_;  // the idle ones that are not the user's
    std::set<Address> banned_;
    std::deque<Address> ban_order_;
    TimePoint next_forgetting_{};
    std::optional<Endpoint> own_v4_;
    std::optional<Endpoint> own_v6_;
    bool filter_refused_ = false;
    bool vetting_refused_ = false;
};

}  // namespace rqfs::torrent
