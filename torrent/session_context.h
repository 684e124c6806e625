#pragma once

#include "torrent/clock.h"
#include "torrent/connection_budget.h"
#include "torrent/failed_dials.h"
#include "torrent/net/address_policy.h"
#include "torrent/net/connector.h"
#include "torrent/peer/metadata_budget.h"
#include "torrent/per_family.h"
#include "torrent/settings.h"
#include "torrent/statistics.h"
#include "torrent/store.h"
#include "torrent/swarm/external_address_vote.h"
#include "torrent/swarm/precedence.h"
#include "torrent/swarm/rate_limiter.h"
#include "torrent/tracker/announcer.h"
#include "torrent/workers.h"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>

namespace rqfs::torrent {

class AddressFilter;
class Dht;
class LocalDiscovery;

// What all torrents of a session share, as a torrent sees its session: it never touches another torrent. Owned by Session, outlives them.
struct SessionContext {
    boost::asio::any_io_executor executor;
    Clock& clock;
    Workers& workers;
    Store& store;
    Resolver& resolver;
    Connector& connector;
    Announcer::Network trackers;
    Settings const& settings;
    RateLimiter& up_limit;
    RateLimiter& down_limit;
    ConnectionBudget& connections;
    MetadataBudget& metadata_budget;          // of magnets' metadata under way, over all torrents
    PerFamily<std::uint16_t> const& listening_ports;  // 0: nobody can connect to us
    PerFamily<std::uint16_t> const& announced_ports;  // where peers beyond our router reach us: others if it translates
    ExternalAddressVote const& external;
    Statistics& statistics;
    std::function<bool(Endpoint const&)> is_our_own;  // an endpoint that this session listens on
    // On a network of ours: no special-purpose range makes a stranger one (100.64/10 is a provider's whole town).
    std::function<bool(Address const&)> is_neighbour;
    Dht* dht = nullptr;                               // null while it is off
    LocalDiscovery* lan = nullptr;                    // the same
    Precedence precedence{};                          // players of one torrent before copies of another
    AddressFilter* filter = nullptr;                  // of the user's lists; null: nobody is kept away
    FailedDials failed_dials{};                       // of peers that the user named

    // The one question before an address is dialled or remembered for that: vetted by its source, not kept away by the
    // user's lists, not our own. What is dialled later is asked about again, because lists change.
    bool may_dial(Endpoint const& endpoint, AddressSource source) const;
    // Kept away by the user's lists, whoever named it.
    bool refuses(Address const& address) const;

    // There is a node that peers may be pointed at (BEP 5): a read-only one answers nobody (BEP 43).
    bool serves_dht() const;

    // Where we are reached from there, 0 for nowhere: to a neighbour nothing is translated.
    std::uint16_t port_for(Address const& address) const;
};

}  // namespace rqfs::torrent
