// Snapshots of the peers for people and programs.
#include "torrent/connections.h"
#include "torrent/download.h"

#include <algorithm>
#include <string>
#include <utility>

namespace rqfs::torrent {

namespace {

std::string_view source_name(PeerSource source) {
    switch (source) {
        case PeerSource::user: return "user";
        case PeerSource::resume: return "resume";
        case PeerSource::tracker: return "tracker";
        case PeerSource::incoming: return "incoming";
        case PeerSource::pex: return "pex";
        case PeerSource::dht: return "dht";
        case PeerSource::lsd: return "lsd";
    }
    return "unknown";
}

}  // namespace

std::size_t Connections::seeds() const {
    return static_cast<std::size_t>(std::count_if(peers_.begin(), peers_.end(), [](auto const& entry) { return entry.second.connection->seed(); }));
}

std::uint64_t Connections::uploaded_bytes() const {
    auto bytes = uploaded_before_;
    for (auto const& [handle, peer] : peers_) bytes += peer.connection->uploaded_bytes();
    return bytes;
}

double Connections::upload_rate(TimePoint now) const {
    double rate = 0;
    for (auto const& [handle, peer] : peers_) rate += peer.connection->upload_rate(now);
    return rate;
}

double Connections::download_rate(TimePoint now) const {
    double rate = 0;
    for (auto const& [handle, peer] : peers_) rate += peer.connection->download_rate(now);
    return rate;
}

std::vector<PeerStatus> Connections::status() const {
    auto const now = session_.clock.now();
    auto* const download = owner_.download();
    std::vector<PeerStatus> all;
    for (auto const& [handle, peer] : peers_) {
        auto const& connection = *peer.connection;
        PeerStatus status;
        status.endpoint = connection.remote();
        status.client = connection.extensions().client.empty() ? client_name(connection.handshake().peer_id) : connection.extensions().client;
        status.source = source_name(peer.source);
        status.incoming = connection.incoming();
        status.choking_us = connection.choking_us();
        status.interested_in_us = connection.interested_in_us();
        status.choked_by_us = connection.choked_by_us();
        status.interesting = connection.interested();
        auto const pieces = connection.pieces().size();
        status.progress = pieces == 0 ? 0 : static_cast<double>(connection.pieces().count()) / pieces;
        status.down_rate = connection.download_rate(now);
        status.up_rate = connection.upload_rate(now);
        status.downloaded_bytes = connection.downloaded_bytes();
        status.uploaded_bytes = connection.uploaded_bytes();
        status.requests_queued = connection.requests_queued();
        if (download != nullptr && peer.in_picker) {
            auto const& picker = download->picker();
            status.snubbed = picker.snubbed(handle, now);
            status.suspected = download->suspected(handle);
            status.requests_in_flight = picker.requests_in_flight(handle);
            status.round_trip = std::chrono::duration_cast<std::chrono::milliseconds>(picker.round_trip(handle));
        }
        all.push_back(std::move(status));
    }
    return all;
}

std::map<PeerHandle, WhyStatus::Peer> Connections::holders(PieceIndex piece) const {
    std::map<PeerHandle, WhyStatus::Peer> all;
    for (auto const& [handle, peer] : peers_) {
        auto const& connection = *peer.connection;
        bool const has = piece.value() < connection.pieces().size() && connection.pieces().test(piece);
        if (has) all.insert({handle, {connection.remote(), connection.choking_us()}});
    }
    return all;
}

void Connections::set_logger(std::shared_ptr<spdlog::logger> logger) {
    logger_ = std::move(logger);
    give_loggers();
}

bool Connections::set_peer_logger(Endpoint const& endpoint, std::shared_ptr<spdlog::logger> const& logger) {
    bool known = peer_loggers_.contains(endpoint) || known_.find(endpoint) != nullptr;
    for (auto const& [handle, peer] : peers_) known = known || peer.connection->remote() == endpoint;
    if (!known) return false;
    if (!peer_loggers_.set(endpoint, logger))
        throw_error(Errc::too_large, "only " + std::to_string(limit::kPeerLogLevels) + " peers of a torrent have their own log level");
    give_loggers();
    return true;
}

void Connections::give_loggers() {
    for (auto& [handle, peer] : peers_)
        peer.connection->set_logger(peer_loggers_.of(peer.listed, peer.connection->remote(), logger_));
}

}  // namespace rqfs::torrent
