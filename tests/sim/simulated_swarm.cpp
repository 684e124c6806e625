#include "tests/sim/simulated_swarm.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace rqfs::tests {

using namespace rqfs::torrent;
using Order = PiecePicker::Order;

namespace {

constexpr double kStep = 0.01;
constexpr std::uint64_t kFilm = 1ull << 30;
constexpr std::uint64_t kRead = 128 << 10;  // what a player asks for at once
constexpr double kPlayerBuffer = 10;        // seconds of film
constexpr ReaderId kPlayer{1};

}  // namespace

SimulatedSwarm::SimulatedSwarm(Scenario const& scenario, std::uint64_t seed)
    : scenario_(scenario),
      random_(seed),
      layout_(kFilm, scenario.piece_bytes),
      picker_(layout_, Bitfield(layout_.pieces()), seed) {
    for (std::uint32_t i = 0; i < scenario_.peers; ++i) make_peer(i, seed);
    if (scenario_.want_all) picker_.set_wanted(Bitfield(layout_.pieces(), true));
}

// The standard's distributions differ between libraries, these do not.
double SimulatedSwarm::uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

double SimulatedSwarm::normal(std::mt19937_64& random) {
    double const radius = std::sqrt(-2 * std::log(1 - uniform(random)));
    return radius * std::cos(2 * std::numbers::pi * uniform(random));
}

TimePoint SimulatedSwarm::now() const {
    return TimePoint(std::chrono::hours(1)) +
           std::chrono::duration_cast<Duration>(std::chrono::duration<double>(time_));
}

void SimulatedSwarm::make_peer(std::uint32_t number, std::uint64_t seed) {
    Peer peer;
    peer.handle = PeerHandle(number + 1);
    peer.random.seed(seed * 1000 + number);
    peer.base = std::max(4e3, scenario_.peer_bytes * std::exp(normal(peer.random)));
    peer.trip = std::clamp(0.09 * std::exp(0.6 * normal(peer.random)), 0.015, 0.6);
    peer.flaky = uniform(peer.random) < scenario_.flaky;
    peer.pieces = Bitfield(layout_.pieces(), scenario_.have >= 1);
    for (std::uint32_t i = 0; scenario_.have < 1 && i < layout_.pieces(); ++i)
        if (uniform(peer.random) < scenario_.have) peer.pieces.set(PieceIndex(i));
    picker_.peer_joined(peer.handle, {.fast = number % 3 != 0, .max_requests = 250}, now());
    picker_.peer_has(peer.handle, peer.pieces);
    picker_.peer_chokes(peer.handle, false, now());
    peers_.push_back(std::move(peer));
}

double SimulatedSwarm::peer_rate(Peer& peer) {
    if (time_ < peer.stalled_until) return 0;
    if (peer.flaky && uniform(peer.random) < kStep / 25) peer.stalled_until = time_ + 1 + 7 * uniform(peer.random);
    peer.noise += -peer.noise * kStep / 2 + 0.45 * std::sqrt(kStep) * normal(peer.random);
    return peer.base * std::exp(peer.noise - 0.1);
}

void SimulatedSwarm::move_network() {
    std::vector<double> rates;
    double total = 0;
    for (Peer& peer : peers_) {
        double const rate = peer_rate(peer);
        for (; !peer.coming.empty() && peer.coming.front().at <= time_; peer.coming.pop_front()) {
            Order const& order = peer.coming.front().order;
            if (order.kind == Order::Kind::request)
                peer.queue.push_back(order.block);
            else if (auto const found = std::ranges::find(peer.queue, order.block); found != peer.queue.end())
                peer.queue.erase(found);
        }
        rates.push_back(peer.sending || !peer.queue.empty() ? rate : 0);
        total += rates.back();
    }
    double const share = total <= scenario_.down_bytes ? 1 : scenario_.down_bytes / total;
    for (std::size_t i = 0; i < peers_.size(); ++i) {
        Peer& peer = peers_[i];
        double budget = rates[i] * share * kStep;
        while (budget > 0 && (peer.sending || !peer.queue.empty())) {
            if (!peer.sending) {
                peer.current = peer.queue.front();
                peer.queue.pop_front();
                peer.left = layout_.bytes(peer.current);
                peer.sending = true;
            }
            double const sent = std::min(budget, peer.left);
            peer.left -= sent;
            budget -= sent;
            if (peer.left > 1e-6) break;
            peer.going.emplace_back(time_ + peer.trip / 2, peer.current);
            peer.sending = false;
        }
        arrive(peer);
    }
}

void SimulatedSwarm::arrive(Peer& peer) {
    for (; !peer.going.empty() && peer.going.front().first <= time_; peer.going.pop_front()) {
        BlockAddress const block = peer.going.front().second;
        received_ += layout_.bytes(block);
        events_ = true;
        bool const before = picker_.have().test(block.piece);
        if (picker_.block_arrived(peer.handle, block, now()) != PiecePicker::Arrival::wanted || before) continue;
        auto const flights = picker_.in_flight();
        // A piece that wants no block is complete; hashing takes no time here.
        if (!std::ranges::binary_search(flights, block.piece)) picker_.piece_verified(block.piece);
    }
}

void SimulatedSwarm::play() {
    if (!scenario_.seeks.empty() && time_ >= scenario_.seeks.front()) seek();
    blocked_ = false;
    while (buffered_ < kPlayerBuffer * scenario_.film_bytes) {
        if (position_ >= kFilm || !picker_.have().test(layout_.piece_at(position_))) {
            blocked_ = true;
            break;
        }
        std::uint64_t const step = kRead - position_ % kRead;
        position_ += step;
        buffered_ += static_cast<double>(step);
    }
    if (!playing_) {
        if (buffered_ < scenario_.start_bytes) return;
        playing_ = true;
        waits_.push_back(time_ - seek_at_);
        return;
    }
    buffered_ -= scenario_.film_bytes * kStep;
    if (buffered_ > 0) return;
    buffered_ = 0;
    result_.stall += kStep;
}

void SimulatedSwarm::seek() {
    scenario_.seeks.erase(scenario_.seeks.begin());
    position_ = static_cast<std::uint64_t>(uniform(random_) * static_cast<double>(kFilm - (200ull << 20)));
    buffered_ = 0;
    playing_ = false;
    seek_at_ = time_;
    wished_at_ = -1;
}

void SimulatedSwarm::wish() {
    // A blocked read moves nothing: wishes are said again when something changed, and four times a second.
    if (time_ - wished_at_ < 0.25 && !events_) return;
    wished_at_ = time_;
    double const rate = scenario_.film_bytes;
    double const window = std::clamp(20 * rate, 8.0 * (1 << 20), 48.0 * (1 << 20));
    double const in_hand = playing_ ? buffered_ / rate : 0;
    std::vector<Wish> wishes;
    PieceIndex const first = layout_.piece_at(std::min(position_, kFilm - 1));
    auto const count = static_cast<std::uint32_t>(window / layout_.piece_bytes()) + 1;
    for (std::uint32_t i = first.value(); i < std::min(first.value() + count, layout_.pieces()); ++i) {
        PieceIndex const piece(i);
        if (picker_.have().test(piece)) continue;
        double const ahead = std::max(0.0, static_cast<double>(layout_.begin(piece)) - static_cast<double>(position_));
        auto const due = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(in_hand + ahead / rate));
        bool const blocked = blocked_ && piece == first;
        wishes.push_back({piece, now() + due, blocked ? Urgency::blocked_player : Urgency::player});
    }
    picker_.set_wishes(kPlayer, std::move(wishes), now());
}

void SimulatedSwarm::plan() {
    if (!events_ && time_ < next_plan_) return;
    wish();
    events_ = false;
    for (Order const& order : picker_.plan(now())) {
        Peer& peer = peers_[order.peer.value() - 1];
        peer.coming.push_back({time_ + peer.trip / 2, order});
    }
    for (PieceIndex const piece : picker_.unwanted_pieces()) picker_.piece_abandoned(piece);
    auto const next = picker_.next_plan(now());
    next_plan_ = next ? time_ + std::chrono::duration<double>(*next - now()).count() - kStep / 2 : time_ + 1;
}

SimulatedSwarm::Result SimulatedSwarm::run() {
    auto const steps = static_cast<std::uint64_t>(scenario_.seconds / kStep);
    for (std::uint64_t i = 0; i < steps; ++i) {
        time_ = static_cast<double>(i) * kStep;
        move_network();
        play();
        plan();
    }
    // What never started counts as waiting to the end.
    while (waits_.size() < 3) waits_.push_back(waits_.size() == 2 ? scenario_.seconds - seek_at_ : 20);
    result_.start = waits_[0];
    result_.seek = (waits_[1] + waits_[2]) / 2;
    result_.waste = static_cast<double>(picker_.duplicate_bytes()) / std::max(1.0, static_cast<double>(received_));
    result_.rate = static_cast<double>(received_) / scenario_.seconds;
    return result_;
}

}  // namespace rqfs::tests
