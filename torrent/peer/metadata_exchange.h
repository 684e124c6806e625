#pragma once

#include "torrent/info_hash.h"
#include "torrent/peer/metadata_assembly.h"
#include "torrent/peer/metadata_budget.h"
#include "torrent/peer/metadata_message.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace rqfs::torrent {

// Fetches the info dictionary of a magnet from those who offer it (BEP 9). Pure: time is an argument and never goes
// back.
//
// Nobody is believed about the size: each claimed size is put together on its own, and of those that hold data there
// are at most limit::kMetadataSizesPerTorrent; whoever stalls gives way to others. Parts come from all peers of a size
// in parallel. When the SHA-1 is wrong, a single source rests for 5 minutes; parts of several sources are then fetched
// from one peer at a time, so that a liar is found out and an honest peer among liars still wins. Nobody is banned: a
// wrong answer may be an honest mistake.
class MetadataExchange {
public:
    struct Request {
        PeerHandle peer;
        std::uint32_t piece = 0;
        friend bool operator==(Request const&, Request const&) = default;
    };

    struct Outcome {
        std::vector<std::byte> metadata;    // the verified info dictionary, when this message completed it
        std::vector<PeerHandle> penalised;  // these gave wrong data and are not asked for a while
    };

    // The budget outlives the exchange.
    MetadataExchange(InfoHash const& info_hash, MetadataBudget& budget) : info_hash_(info_hash), budget_(budget) {}
    MetadataExchange(MetadataExchange const&) = delete;
    MetadataExchange& operator=(MetadataExchange const&) = delete;
    ~MetadataExchange();

    // The peer speaks ut_metadata and claims this size. Sizes of 0 or over limit::kMetadataBytes are not asked for. May
    // be called again when the claim changes; a penalty stays.
    void peer_joined(PeerHandle peer, std::uint32_t claimed_bytes, TimePoint now);
    void peer_left(PeerHandle peer, TimePoint now);
    // A data or reject message. What was not asked for is ignored.
    Outcome received(PeerHandle peer, MetadataMessage const& message, TimePoint now);

    // To be sent now. Call after every event and at next_time().
    std::vector<Request> next_requests(TimePoint now);
    std::optional<TimePoint> next_time(TimePoint now) const;

    bool finished() const { return finished_; }
    std::size_t peers_offering() const { return peers_.size(); }
    std::size_t peers_asked() const;  // with a request under way: "asking 3 peers"

private:
    struct Asked {
        std::uint32_t piece;
        TimePoint when;
        bool overdue = false;  // given up, but still welcome
        bool alone = false;    // for the peer's own assembly
    };
    struct Peer {
        std::uint32_t claimed_bytes = 0;
        TimePoint usable_from{};
        std::uint32_t window = 2;    // requests at a time: doubles with every answer, up to 8
        std::uint32_t timeouts = 0;  // in a row
        std::vector<Asked> asked;
        std::optional<MetadataAssembly> alone;
    };
    struct Size {
        MetadataAssembly shared;
        bool mistrusted = false;  // a mixture of sources failed: one peer at a time
    };

    void forget_requests(Peer& peer);
    void give_up_overdue(TimePoint now);
    void ask(PeerHandle handle, Peer& peer, MetadataAssembly& assembly, bool alone, TimePoint now,
             std::vector<Request>& out);
    void rest(Peer& peer, TimePoint until);
    MetadataAssembly* assembly_of(Peer& peer, bool alone);
    Outcome store(PeerHandle handle, Peer& peer, Asked const& asked, MetadataMessage const& message, TimePoint now);
    Outcome complete(PeerHandle handle, Peer& peer, bool alone, MetadataAssembly& assembly, TimePoint now);
    bool make_room(MetadataAssembly const& newcomer, std::size_t bytes, TimePoint now);
    std::vector<MetadataAssembly*> with_data();
    void drop(MetadataAssembly& assembly, TimePoint rest_until);
    void release(MetadataAssembly& assembly);

    InfoHash info_hash_;
    MetadataBudget& budget_;
    std::map<PeerHandle, Peer> peers_;
    std::map<std::uint32_t, Size> sizes_;
    bool finished_ = false;
};

}  // namespace rqfs::torrent
