#pragma once

#include "torrent/endpoint.h"
#include "torrent/peer/pex_message.h"
#include "torrent/peer/pex_news.h"
#include "torrent/units.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace rqfs::torrent {

// Peer exchange (BEP 11) of one torrent: whom each connected peer is told of and when, and how much of what they tell
// is believed. Pure.
class PeerExchange {
public:
    // A connected peer.
    struct Member {
        PeerHandle handle;
        std::optional<Endpoint> listens_at;  // nothing: nobody can dial it, or it did not say where
        std::uint8_t flags = 0;              // PexPeer's
        bool local = false;                  // its address means something in our own network alone
    };

    // It speaks ut_pex. Calls for a peer that is known change nothing.
    void joined(PeerHandle peer, TimePoint now);
    void left(PeerHandle peer) { partners_.erase(peer); }

    // Whether news() may have something to send, for a caller to whom a list of members is work.
    bool due(TimePoint now) const;
    // What is to be sent now, and counts as sent. Nobody is told of itself; addresses of the local network are told in
    // it alone; seeds are not told of seeds.
    std::vector<std::pair<PeerHandle, PexMessage>> news(std::span<Member const> members, TimePoint now);

    struct Heard {
        bool flood = false;          // it says far too much: hang up
        std::vector<PexPeer> peers;  // that may be taken as told by a stranger
    };
    // What it adds, unless it speaks too often; how many of them count is for NamingBudget to say.
    Heard heard(PeerHandle from, PexMessage const& message, TimePoint now);

private:
    struct Partner {
        PexNews news;
        TimePoint next{};
        std::deque<TimePoint> messages;  // of the last minute
    };

    std::map<PeerHandle, Partner> partners_;
};

}  // namespace rqfs::torrent
