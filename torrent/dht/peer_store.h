#pragma once

#include "torrent/dht/node_id.h"
#include "torrent/dht/scrape_filter.h"
#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/units.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace rqfs::torrent {

// Peers of other people's torrents, announced to us as to a node near them. Owned by a DhtNode; pure. At most 2,000
// torrents with 500 peers each, for 30 minutes: 25 MB when full. When there are more, those nearest to our id stay,
// since there we are looked for.
class PeerStore {
public:
    struct Filters {
        ScrapeFilter seeds;
        ScrapeFilter downloaders;
    };

    // False: there is no room for this torrent.
    bool announce(NodeId const& own, InfoHash const& info_hash, Endpoint const& peer, bool seed, TimePoint now);

    // Some of the peers, others with another `random`.
    std::vector<Endpoint> peers(InfoHash const& info_hash, std::size_t most, bool without_seeds, std::uint64_t random,
                                TimePoint now) const;
    std::optional<Filters> scrape(InfoHash const& info_hash, TimePoint now) const;  // BEP 33; nothing: none is stored
    std::vector<InfoHash> sample(std::size_t most, std::uint64_t random) const;     // BEP 51

    // Forgets what is older than 30 minutes; to be called now and then.
    void expire(TimePoint now);

    std::size_t torrents() const { return torrents_.size(); }
    std::size_t peers() const { return peers_; }

private:
    // An endpoint in the least room: with a million of them it matters.
    struct Peer {
        std::array<std::uint8_t, 16> address;
        std::uint16_t port;
        bool v6;
        bool seed;
        std::uint32_t seconds;  // of the clock, when announced

        Endpoint endpoint() const;
        bool has_address(Address const& other) const;
        bool shares_household(Address const& other) const;
        bool alive(TimePoint now) const;
    };
    using Peers = std::vector<Peer>;

    Peers* torrent(NodeId const& own, InfoHash const& info_hash);
    void find_farthest(NodeId const& own);
    void drop(std::map<InfoHash, Peers>::iterator torrent);

    std::map<InfoHash, Peers> torrents_;  // ordered: strangers choose the keys
    std::size_t peers_ = 0;
    std::optional<std::pair<NodeId, InfoHash>> farthest_;  // the stored torrent farthest from this id of ours
};

}  // namespace rqfs::torrent
