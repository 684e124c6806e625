#include "torrent/peer/peer_connection_state.h"
#include "torrent/settings.h"

#include <chrono>
#include <functional>
#include <string>

namespace rqfs::torrent {

namespace {

constexpr std::uint32_t kChokedRequests = 300;      // LT: more of them are abuse
constexpr std::chrono::seconds kChokeOnItsWay{10};  // until then a peer need not have seen our choke

std::string request_text(PeerConnection::Request const& r) {
    return "piece " + std::to_string(r.piece.value()) + " begin " + std::to_string(r.begin) + " length " +
           std::to_string(r.length);
}

bool exists(PieceLayout const& layout, PeerConnection::Request const& r) {
    return layout.piece(r.piece.value()) && std::uint64_t{r.begin} + r.length <= layout.bytes(r.piece);
}

}  // namespace

void PeerConnection::State::on_request(Message const& message) {
    Request const request{PieceIndex(message.piece), message.begin, message.length};
    if (request.length == 0) return close("request of no bytes");
    if (request.length > limit::kRejectedRequestBytes) return close("request too long: " + request_text(request));
    if (options.layout && !exists(*options.layout, request))
        return close("request outside the torrent: " + request_text(request));
    if (!acceptable(request)) {
        if (!closing) refuse(request);
        return;
    }
    if (requests.size() >= limit::kRequestsIn) {
        // Without BEP 6 nobody can be told, and what was asked longest ago is what the peer has given up first.
        if (fast) return refuse(request);
        if (!requests.take_oldest()) return;
    }
    requests.add(request);
    upload_possible.notify();
}

// Whether it may be queued; closes on a peer that goes on asking while it is choked.
bool PeerConnection::State::acceptable(Request const& request) {
    if (!options.layout || request.length > limit::kServedRequestBytes) return false;
    if (!choking_them || allowed_fast.contains(request.piece)) return true;
    if (now - choked_them_at >= kChokeOnItsWay && ++choked_requests > kChokedRequests)
        close("too many requests while choked");
    return false;
}

void PeerConnection::State::on_cancel(Request const& request) {
    // A block that is being written already is the answer.
    if (!requests.take(request) && !out.remove_block(request)) return;
    refuse(request);
    upload_possible.notify();
}

void PeerConnection::State::refuse(Request const& request) {
    if (!fast) return;
    append_message(out.control(), MessageId::reject, request.piece, request.begin, request.length);
    wake_writer();
}

void PeerConnection::State::refuse_if(std::function<bool(Request const&)> const& condition) {
    for (Request const& request : out.remove_blocks_if(condition)) refuse(request);
    for (Request const& request : requests.take_if(condition)) refuse(request);
    upload_possible.notify();
}

}  // namespace rqfs::torrent
