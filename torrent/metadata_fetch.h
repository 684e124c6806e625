#pragma once

#include "torrent/clock.h"
#include "torrent/info_hash.h"
#include "torrent/peer/metadata_exchange.h"
#include "torrent/peer/metadata_message.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rqfs::torrent {

// Gets a magnet's info dictionary from the connected peers, several side by side: carries out what MetadataExchange decides.
//
// Owned by Torrent while it runs without metadata. Engine thread only.
class MetadataFetch {
public:
    class Owner {
    public:
        virtual ~Owner() = default;
        virtual void send_metadata(PeerHandle peer, MetadataMessage const& message) = 0;
        // Bytes whose SHA-1 is the info-hash. Called once.
        virtual void metadata_complete(std::vector<std::byte> info) = 0;
    };

    MetadataFetch(Clock& clock, InfoHash const& info_hash, MetadataBudget& budget, Owner& owner);

    // The peer speaks ut_metadata and claims this size; 0: it does not say, so it has none.
    void peer_offers(PeerHandle peer, std::uint32_t claimed_bytes);
    void peer_left(PeerHandle peer);
    void message(PeerHandle peer, MetadataMessage const& message);
    void tick();

    std::string reason() const;  // "asking 3 peers for the metadata"

private:
    void ask();

    Clock& clock_;
    Owner& owner_;
    MetadataExchange exchange_;
};

}  // namespace rqfs::torrent
