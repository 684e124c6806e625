#include "tests/sim/streaming/simulated_swarm.h"

#include "tests/sim/streaming/simulated_time.h"

#include <algorithm>
#include <numeric>

namespace rqfs::tests {

using namespace rqfs::torrent;

namespace {

constexpr double kStep = 0.01;
constexpr double kNextPeerWithin = 5;  // seconds

}  // namespace

SimulatedSwarm::SimulatedSwarm(Scenario const& scenario, MakeStreamer const& make, std::uint64_t seed)
    : scenario_(scenario),
      seed_(seed),
      random_(seed),
      layout_(scenario.file_bytes, scenario.piece_bytes),
      streamer_(make(layout_, scenario, seed)),
      player_(scenario, layout_, seed) {
    auto const peers = scenario.seeds.empty() ? scenario.peers : static_cast<std::uint32_t>(scenario.seeds.size());
    for (std::uint32_t i = 0; i < peers; ++i) join(0);
}

void SimulatedSwarm::join(double now) {
    auto peer = std::make_unique<SimulatedPeer>(scenario_, layout_, peers_seen_++, seed_, now);
    streamer_->peer_joined(peer->handle(), peer->pieces(), peer->fast(), at_seconds(now));
    peers_.push_back(std::move(peer));
    events_ = true;
}

void SimulatedSwarm::remove(PeerHandle peer) {
    std::erase_if(peers_, [peer](auto const& other) { return other->handle() == peer; });
    streamer_->peer_left(peer, at_seconds(time_));
    if (scenario_.stay_seconds > 0) joins_.push_back(time_ + kNextPeerWithin * random_.uniform());
    events_ = true;
}

void SimulatedSwarm::move_network() {
    std::vector<double> rates;
    for (auto const& peer : peers_) rates.push_back(peer->prepare(time_, kStep));
    double const total = std::accumulate(rates.begin(), rates.end(), 0.0);
    double const share = total <= scenario_.down_bytes ? 1 : scenario_.down_bytes / total;
    std::vector<PeerHandle> gone;
    for (std::size_t i = 0; i < peers_.size(); ++i) {
        peers_[i]->send(rates[i] * share * kStep, time_);
        if (!hand_over(*peers_[i])) gone.push_back(peers_[i]->handle());
    }
    for (PeerHandle const peer : gone) remove(peer);
    for (PeerHandle const peer : streamer_->take_banned()) {
        auto const found = std::ranges::find(peers_, peer, [](auto const& other) { return other->handle(); });
        if (found == peers_.end()) continue;
        ++((*found)->kind() == SimulatedPeer::Kind::corrupting ? result_.liars_banned : result_.honest_banned);
        remove(peer);
    }
}

// False when the peer has left.
bool SimulatedSwarm::hand_over(SimulatedPeer& peer) {
    using Kind = SimulatedPeer::Event::Kind;
    auto const now = at_seconds(time_);
    for (auto const& event : peer.arrived(time_)) {
        events_ = true;
        if (event.kind == Kind::leave) return false;
        if (event.kind == Kind::reject) streamer_->block_rejected(peer.handle(), event.block, now);
        if (event.kind == Kind::choke || event.kind == Kind::unchoke)
            streamer_->peer_chokes(peer.handle(), event.kind == Kind::choke, now);
        if (event.kind != Kind::block) continue;
        received_ += layout_.bytes(event.block);
        Streamer::Received const received{event.block, event.good, at_seconds(event.transfer) - at_seconds(0)};
        if (!streamer_->block_arrived(peer.handle(), received, now))
            useless_ += layout_.bytes(event.block);
    }
    return true;
}

void SimulatedSwarm::plan() {
    if (!events_ && time_ < next_plan_) return;
    events_ = false;
    auto const now = at_seconds(time_);
    for (Streamer::Order const& order : streamer_->plan(now)) {
        auto const found = std::ranges::find(peers_, order.peer, [](auto const& peer) { return peer->handle(); });
        if (found != peers_.end()) (*found)->tell(order, time_);
    }
    auto const next = streamer_->next_plan(now);
    next_plan_ = next ? seconds_at(*next) - kStep / 2 : time_ + 1;
}

SimulatedSwarm::Result SimulatedSwarm::run() {
    auto const steps = static_cast<std::uint64_t>(scenario_.seconds / kStep);
    for (std::uint64_t i = 0; i < steps; ++i) {
        time_ = static_cast<double>(i) * kStep;
        for (; !joins_.empty() && joins_.front() <= time_; joins_.pop_front()) join(time_);
        move_network();
        events_ = player_.play(*streamer_, time_, kStep) || events_;
        plan();
    }
    auto const waits = player_.waits(scenario_.seconds);
    auto const received = std::max(1.0, static_cast<double>(received_));
    result_.start = waits.front();
    result_.seek = std::accumulate(waits.begin() + 1, waits.end(), 0.0) / static_cast<double>(scenario_.seeks.size());
    result_.worst_seek = *std::max_element(waits.begin() + 1, waits.end());
    result_.stall = player_.stalled_seconds();
    result_.waited = std::accumulate(waits.begin(), waits.end(), result_.stall);
    result_.waste = static_cast<double>(useless_) / received;
    result_.abandoned = static_cast<double>(streamer_->abandoned_bytes()) / received;
    result_.failed = static_cast<double>(streamer_->failed_bytes()) / received;
    auto const read = static_cast<double>(player_.read_bytes()) / received;
    result_.unread = std::max(0.0, 1 - result_.waste - result_.abandoned - result_.failed - read);
    result_.rate = received / scenario_.seconds;
    return result_;
}

}  // namespace rqfs::tests
