#include "tests/sim/streaming/remote_choker.h"

#include "tests/sim/streaming/simulated_time.h"

#include <chrono>
#include <cmath>

namespace rqfs::tests {

using namespace rqfs::torrent;

namespace {

constexpr std::uint32_t kFewestOthers = 3;
constexpr std::uint32_t kMoreOthers = 8;
constexpr double kOtherBytes = 30e3;  // a second, median
constexpr double kRound = 10;
constexpr std::size_t kSlots = 8;
constexpr std::uint32_t kPieceBytes = 2u << 20;
constexpr PeerHandle kUs{1};

}  // namespace

RemoteChoker::RemoteChoker(Random& random, bool seeding, double joined)
    : choker_(random.number()), rules_{kSlots, seeding, kPieceBytes}, next_round_(joined) {
    ChokerPeer us;
    us.peer = kUs;
    us.interested = true;
    us.connected_since = at_seconds(joined);
    peers_.push_back(us);
    auto const others = kFewestOthers + static_cast<std::uint32_t>(random.uniform() * kMoreOthers);
    for (std::uint32_t i = 0; i < others; ++i) {
        ChokerPeer other;
        other.peer = PeerHandle(i + 2);
        other.interested = true;
        other.download_rate = kOtherBytes * std::exp(random.normal());
        other.upload_rate = kOtherBytes * std::exp(random.normal());
        other.connected_since = at_seconds(joined - 600 * random.uniform());
        peers_.push_back(other);
    }
}

bool RemoteChoker::unchoked(double now) {
    if (now >= next_round_) decide(now);
    return peers_.front().unchoked_since.has_value();
}

void RemoteChoker::decide(double now) {
    next_round_ = now + kRound;
    peers_.front().upload_rate = round_bytes_ / kRound;
    for (ChokerPeer& peer : peers_) {
        double const bytes = peer.peer == kUs ? round_bytes_ : kRound * peer.upload_rate;
        if (peer.unchoked_since) peer.uploaded_since_unchoke += static_cast<std::uint64_t>(bytes);
    }
    round_bytes_ = 0;
    auto const when = at_seconds(now);
    auto const chosen = choker_.decide(peers_, rules_, when);
    for (ChokerPeer& peer : peers_) {
        if (chosen.contains(peer.peer) == peer.unchoked_since.has_value()) continue;
        if (peer.unchoked_since) {
            peer.unchoked_since.reset();
            peer.last_unchoked = when;
        } else {
            peer.unchoked_since = when;
            peer.uploaded_since_unchoke = 0;
        }
    }
}

}  // namespace rqfs::tests
