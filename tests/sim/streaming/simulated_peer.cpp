#include "tests/sim/streaming/simulated_peer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace rqfs::tests {

using namespace rqfs::torrent;
using Order = PiecePicker::Order;

namespace {

constexpr double kNoiseStep = 0.1;  // seconds
constexpr double kNoiseMemory = 2;  // seconds
constexpr double kNoise = 0.45;     // standard deviation of the rate's logarithm
constexpr double kStallEvery = 25;  // seconds on average
constexpr double kCrawl = 100;      // bytes a second
constexpr std::uint32_t kFlapBlocks = 4;
constexpr double kFlapSeconds = 2;

}  // namespace

SimulatedPeer::SimulatedPeer(Scenario const& scenario, PieceLayout const& layout, std::uint32_t number,
                             std::uint64_t seed, double joined)
    : layout_(layout),
      random_(seed * 100'000 + number),
      handle_(number + 1),
      pieces_(layout.pieces(), scenario.have >= 1),
      fast_(number % 3 != 0),
      committed_seconds_(scenario.committed_seconds) {
    choose_link(scenario, number);
    for (std::uint32_t i = 0; scenario.have < 1 && i < layout.pieces(); ++i)
        if (random_.uniform() < scenario.have) pieces_.set(PieceIndex(i));
    choose_kind(scenario);
    if (scenario.stay_seconds > 0) leaves_at_ = joined + random_.exponential(scenario.stay_seconds);
    if (kind_ == Kind::honest && random_.uniform() < scenario.choking) choker_.emplace(random_, pieces_.all(), joined);
    if (!choker_) set_choking(false, joined);
}

void SimulatedPeer::choose_link(Scenario const& scenario, std::uint32_t number) {
    if (!scenario.seeds.empty()) {
        auto const& seed = scenario.seeds[number % scenario.seeds.size()];
        base_ = seed.bytes;
        trip_ = seed.trip;
        steady_ = true;
        return;
    }
    base_ = std::max(4e3, scenario.peer_bytes * std::exp(random_.normal()));
    trip_ = std::clamp(0.09 * std::exp(0.6 * random_.normal()), 0.015, 0.6);
    flaky_ = random_.uniform() < scenario.flaky;
}

void SimulatedPeer::choose_kind(Scenario const& scenario) {
    std::array const shares = {std::pair(Kind::silent, scenario.silent), std::pair(Kind::crawling, scenario.crawling),
                               std::pair(Kind::flapping, scenario.flapping),
                               std::pair(Kind::rejecting, scenario.rejecting),
                               std::pair(Kind::corrupting, scenario.corrupting)};
    double drawn = random_.uniform();
    for (auto const& [kind, share] : shares) {
        if (drawn < share) {
            kind_ = kind;
            fast_ = fast_ || kind == Kind::rejecting;
            return;
        }
        drawn -= share;
    }
}

void SimulatedPeer::tell(Order const& order, double now) { coming_.push_back({now + trip_half(), order}); }

double SimulatedPeer::prepare(double now, double step) {
    if (now >= leaves_at_) {
        going_.push_back({Event::Kind::leave, now + trip_half()});
        leaves_at_ = 1e9;
    }
    receive(now);
    take_turns(now);
    double const current = rate(now, step);
    commit(now);
    return buffer_.empty() ? 0 : current;
}

void SimulatedPeer::receive(double now) {
    for (; !coming_.empty() && coming_.front().at <= now; coming_.pop_front()) {
        Order const& order = coming_.front().order;
        if (order.kind == Order::Kind::request) {
            request(order.block, now);
        } else if (auto const found = std::ranges::find(queue_, order.block); found != queue_.end()) {
            if (fast_) going_.push_back({Event::Kind::reject, now + trip_half(), order.block});
            queue_.erase(found);
        }
    }
}

void SimulatedPeer::request(BlockAddress block, double now) {
    if (kind_ == Kind::silent) return;
    if (kind_ == Kind::rejecting || choking_) {
        if (fast_) going_.push_back({Event::Kind::reject, now + trip_half(), block});
        return;
    }
    queue_.push_back(block);
}

void SimulatedPeer::set_choking(bool choking, double now) {
    if (choking == choking_) return;
    choking_ = choking;
    going_.push_back({choking ? Event::Kind::choke : Event::Kind::unchoke, now + trip_half()});
    if (!choking) return;
    for (BlockAddress const block : std::exchange(queue_, {}))
        if (fast_) going_.push_back({Event::Kind::reject, now + trip_half(), block});
}

void SimulatedPeer::take_turns(double now) {
    if (choker_) set_choking(!choker_->unchoked(now), now);
    if (kind_ == Kind::flapping && choking_ && now >= unchokes_at_) set_choking(false, now);
}

void SimulatedPeer::begin_block(BlockAddress block, double now) {
    left_ = layout_.bytes(block);
    begun_ = now;
}

void SimulatedPeer::commit(double now) {
    double const room = committed_seconds_ * base_;
    while (!queue_.empty() && (buffer_.empty() || static_cast<double>(buffer_.size()) * kBlockBytes < room)) {
        if (buffer_.empty()) begin_block(queue_.front(), now);
        buffer_.push_back(queue_.front());
        queue_.pop_front();
    }
}

double SimulatedPeer::rate(double now, double step) {
    if (kind_ == Kind::crawling) return kCrawl;
    if (steady_) return base_;
    if (now < stalled_until_) return 0;
    if (flaky_ && random_.uniform() < step / kStallEvery) stalled_until_ = now + 1 + 7 * random_.uniform();
    if (now >= noise_at_) {
        noise_at_ = now + kNoiseStep;
        noise_ *= std::exp(-kNoiseStep / kNoiseMemory);
        noise_ += kNoise * std::sqrt(1 - std::exp(-2 * kNoiseStep / kNoiseMemory)) * random_.normal();
        rate_now_ = base_ * std::exp(noise_ - 0.1);
    }
    return rate_now_;
}

void SimulatedPeer::send(double bytes, double now) {
    if (choker_) choker_->sent(bytes);
    while (bytes > 0 && !buffer_.empty()) {
        double const sent = std::min(bytes, left_);
        left_ -= sent;
        bytes -= sent;
        if (left_ > 1e-6) return;
        bool const good = kind_ != Kind::corrupting || random_.uniform() < 0.5;
        going_.push_back({Event::Kind::block, now + trip_half(), buffer_.front(), good, now - begun_});
        buffer_.pop_front();
        if (!buffer_.empty()) begin_block(buffer_.front(), now);
        if (++blocks_sent_ % kFlapBlocks == 0 && kind_ == Kind::flapping) {
            unchokes_at_ = now + kFlapSeconds;
            set_choking(true, now);
        }
        commit(now);
    }
}

std::vector<SimulatedPeer::Event> SimulatedPeer::arrived(double now) {
    std::vector<Event> events;
    for (; !going_.empty() && going_.front().at <= now; going_.pop_front()) events.push_back(going_.front());
    return events;
}

}  // namespace rqfs::tests
