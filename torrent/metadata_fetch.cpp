#include "torrent/metadata_fetch.h"

namespace rqfs::torrent {

MetadataFetch::MetadataFetch(Clock& clock, InfoHash const& info_hash, MetadataBudget& budget, Owner& owner)
    : clock_(clock), owner_(owner), exchange_(info_hash, budget) {}

void MetadataFetch::peer_offers(PeerHandle peer, std::uint32_t claimed_bytes) {
    exchange_.peer_joined(peer, claimed_bytes, clock_.now());
    ask();
}

void MetadataFetch::peer_left(PeerHandle peer) {
    exchange_.peer_left(peer, clock_.now());
    ask();
}

void MetadataFetch::message(PeerHandle peer, MetadataMessage const& message) {
    auto outcome = exchange_.received(peer, message, clock_.now());
    if (!outcome.metadata.empty())
        owner_.metadata_complete(std::move(outcome.metadata));
    else
        ask();
}

void MetadataFetch::tick() {
    auto const now = clock_.now();
    auto const next = exchange_.next_time(now);
    if (next && *next <= now) ask();
}

void MetadataFetch::ask() {
    if (exchange_.finished()) return;
    for (auto const& request : exchange_.next_requests(clock_.now())) {
        MetadataMessage message;
        message.type = MetadataMessage::Type::request;
        message.piece = request.piece;
        owner_.send_metadata(request.peer, message);
    }
}

std::string MetadataFetch::reason() const {
    auto const asked = exchange_.peers_asked();
    if (asked > 0) return "asking " + std::to_string(asked) + (asked == 1 ? " peer" : " peers") + " for the metadata";
    if (exchange_.peers_offering() == 0) return "connected, but no peer has offered the metadata yet";
    return "the peers gave no usable metadata; asking again in a while";
}

}  // namespace rqfs::torrent
