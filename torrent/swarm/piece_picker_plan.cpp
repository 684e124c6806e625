#include "torrent/swarm/piece_picker_parole.h"

#include <algorithm>
#include <utility>

namespace rqfs::torrent {

namespace {

// Seconds. What is queued when a reader seeks mostly comes all the same, so queues are as short as keeps the links busy:
// from 0.8 to 0.4 s took 0.3 s off a seek in a shaped swarm of 42 Mbit/s, from there to 0.3 s another 0.1 s, and nothing off
// the rates.
constexpr double kUrgent = 3;  // a deadline this near is urgent
constexpr double kFar = 6;     // a deadline this far leaves time to learn a peer's rate
constexpr double kReadingQueue = 0.3;
constexpr double kBulkQueue = 3;       // libtorrent request_queue_time
constexpr double kTolerance = 0.15;    // seconds a peer may be later than the deadline and all peers together ...
constexpr double kMuchBetter = 1.2;    // ... unless another one is better by this factor
constexpr double kCaution = 1.25;     // what is expected of a peer comes late more often than early
constexpr double kAffinity = 1.2;      // the peer that had the block before it is kept up to this factor
constexpr std::uint32_t kLooks = 256;  // pieces looked at for peers that may have none of them
constexpr std::uint32_t kFarLooks = 64;
constexpr std::uint32_t kShareChunk = 4;  // blocks after which shares are looked at again
constexpr double kCopierShare = 0.15;     // of the blocks while players want everything
constexpr double kRarestShare = 0.10;     // Carlsson and Eager: in-order fetching alone leaves nothing to trade
constexpr std::uint32_t kFewSeeds = 3;
constexpr double kCreditLimit = 8;
// mpv shows its picture as soon as it has read the index, and 0.6 s later needs more film than the first 0.84 s of it
// (measured). What could not come in that time after the index comes before it, and as what is expected of peers often
// comes later, so does what would just be in time. With 0.6 and 0.5 mpv played on in four of four runs on a link half as
// fast again as the film; with 0.3 and 0.3 it stood still once for 0.7 to 1.1 s in four of four, with 0.45 and 0.36 in
// two. The start on such a link takes 0.4 s more for it, on a fast one 0.1 s.
constexpr double kDecoded = 0.6;    // seconds of film that are gone when more of it must be here, and that to spare
constexpr double kFilmFirst = 0.5;  // the index waits no longer for it
constexpr double kNear = 2;          // seconds; film that is due later can wait
constexpr std::chrono::milliseconds kReadingTick{20};
constexpr std::chrono::milliseconds kTick{250};

}  // namespace

std::vector<PiecePicker::Order> PiecePicker::State::plan() {
    refresh();
    check_silence();
    cancel_orphans();
    queue_seconds = reading() ? kReadingQueue : kBulkQueue;
    if (!on_hold) {
        trim_background();
        seat_peers();
        if (rooms > 0 && !targets.empty()) assign_targets();
        if (rooms > 0) assign_rest();
        hedge();
        finish();
    }
    return std::exchange(orders, {});
}

std::optional<TimePoint> PiecePicker::State::next_plan() {
    refresh();
    bool waiting = !orders.empty();
    bool askable = false;
    for (PickerPeer const* peer : peers) {
        waiting = waiting || table.queue(peer->slot).size > 0 || !peer->rejects.empty();
        askable = askable || peer->askable();
    }
    if (askable && !on_hold && pending_targets.next(0) < sections[4]) return now + kReadingTick;
    if (waiting || (askable && !on_hold && needed.count() > 0)) return now + kTick;
    return unwanted_from();
}

bool PiecePicker::State::urgent(double within_seconds) const {
    for (std::size_t i = 0; i < 4; ++i) {
        std::uint32_t const first = pending_targets.next(sections[i]);
        if (first < sections[i + 1] && seconds_until(targets[first].wish.deadline) < within_seconds) return true;
    }
    return false;
}

void PiecePicker::State::seat_peers() {
    seats.clear();
    rooms = 0;
    all_rates = 0;
    for (PickerPeer* const peer : peers)
        if (peer->askable()) seat(*peer);
    if (now - median_at < kTick && median_rate > 0) return;
    std::vector<double> known;
    for (Seat const& seat : seats)
        if (seat.peer->rate.known()) known.push_back(seat.rate);
    if (known.empty()) return;
    auto const middle = known.begin() + static_cast<std::ptrdiff_t>(known.size() / 2);
    std::ranges::nth_element(known, middle);
    median_rate = *middle;
    median_at = now;
}

double PiecePicker::State::progress(PickerPeer const& peer) const {
    RequestId const first = table.queue(peer.slot).first;
    if (first == kNone || !peer.rate.known()) return 0;
    return peer.rate.progress(rate(peer), table.request(first).sent, now);
}

void PiecePicker::State::seat(PickerPeer& peer) {
    Seat seat;
    seat.peer = &peer;
    seat.rate = rate(peer);
    BlockTable::Queue const& queue = table.queue(peer.slot);
    seat.owed = peer.late_blocks.owed(now, now);
    seat.queued = double{kBlockBytes} * (queue.expected + seat.owed) - progress(peer);
    seat.good = peer.rate.known() && !peer.late && !peer.parole;
    std::uint32_t const limit = peer.limit();
    std::uint32_t const depth = peer.rate.depth(seat.rate, queue_seconds, !reading(), limit);
    if (peer.late || peer.snubbed) {
        seat.room = queue.size == 0 ? 1 : 0;
    } else if (reading() && peer.rate.known()) {
        std::uint32_t const more = peer.rate.room(seat.rate, queue_seconds, seat.queued);
        seat.room = std::min(queue.expected == 0 ? std::max(more, 1u) : more, limit - std::min(limit, queue.size));
    } else {
        std::uint32_t const taken = queue.expected + seat.owed;
        seat.room = depth > taken ? std::min(depth - taken, limit - std::min(limit, queue.size)) : 0;
        if (queue.size == 0) seat.room = std::max(seat.room, 1u);  // it may have heard that it owes nothing
    }
    if (peer.nothing_as_of == changes) seat.room = 0;
    if (seat.good) all_rates += seat.rate;
    rooms += seat.room;
    seats.push_back(seat);
}

void PiecePicker::State::assign_targets() {
    std::uint32_t looks = 0;
    std::uint32_t target = open_targets.next(0);
    std::uint32_t counted = 0;  // targets whose missing bytes are in `before`
    double before = 0;          // bytes to come up to this target
    bool film_first = true;
    while (target < open_targets.size() && rooms > 0 && looks < kLooks) {
        share_with_copiers();
        share_with_rarest();
        if (targets[target].wish.index && std::exchange(film_first, false))
            assign_film_first(before / std::max(all_rates, PeerRate::kFloor));
        bool const sharing =
            target < sections[2] && (pending_targets.next(sections[2]) < sections[4] || wanted_missing > 0);
        std::uint32_t const limit = sharing ? kShareChunk : kUnlimited;
        for (; counted <= target; counted = pending_targets.next(counted + 1)) before += missing_bytes(counted);
        std::uint32_t const assigned = assign_target(target, limit, before / std::max(all_rates, PeerRate::kFloor));
        if (target < sections[2])
            copier_credit = std::min(kCreditLimit, copier_credit + assigned * kCopierShare / (1 - kCopierShare));
        if (target < sections[4])
            rarest_credit = std::min(kCreditLimit, rarest_credit + assigned * kRarestShare / (1 - kRarestShare));
        if (assigned == limit) continue;
        ++looks;
        target = open_targets.next(target + 1);
    }
}

void PiecePicker::State::assign_film_first(double index_in) {
    double unasked = 0;  // bytes of the film up to a piece that nobody was asked for
    double taken = 0;    // and the others
    double late = 0;     // of the former, those that would miss their time after the index
    std::uint32_t end = sections[1];
    for (; end < sections[2] && seconds_until(targets[end].wish.deadline) <= kNear; ++end) {
        if (targets[end].wish.index) continue;
        Piece const& film = pieces[targets[end].wish.piece.value()];
        double const whole = layout.bytes(targets[end].wish.piece);
        double free = film.phase == Phase::missing ? whole : 0;
        if (film.flight != kNone) free = double{kBlockBytes} * table.flight(film.flight).free;
        unasked += free;
        taken += whole - free;
        double const time = std::max(0.0, seconds_until(targets[end].wish.deadline) - kDecoded);
        late = std::max(late, unasked - all_rates * time);
    }
    double const bytes = std::min(late, all_rates * kFilmFirst - taken);
    auto blocks = bytes > 0 ? static_cast<std::uint32_t>(bytes / kBlockBytes) : 0;
    for (std::uint32_t target = sections[1]; target < end && blocks > 0 && rooms > 0; ++target) {
        if (targets[target].wish.index || !open_targets.test(target)) continue;
        blocks -= assign_target(target, blocks, index_in);
        if (open_targets.test(target)) return;
    }
}

void PiecePicker::State::share_with_copiers() {
    // First what a copier waits for though it is a player's too, who wants it later and may not come to it.
    auto const first = [this] {
        std::uint32_t target = open_targets.next(sections[1]);
        while (target < sections[2] && !targets[target].copier_waits) target = open_targets.next(target + 1);
        return target;
    };
    while (copier_credit >= 1 && rooms > 0) {
        std::uint32_t const target = first();
        if (target >= sections[4] || assign_target(target, 1, 0) == 0) return;
        copier_credit -= 1;
    }
}

void PiecePicker::State::share_with_rarest() {
    if (wanted_missing == 0 || complete_peers >= kFewSeeds) return;
    while (rarest_credit >= 1 && rooms > 0) {
        // The slowest peer with room: the stream misses it least.
        Seat* slowest = nullptr;
        for (Seat& seat : seats)
            if (seat.room > 0 && !seat.peer->parole && (slowest == nullptr || seat.expected() > slowest->expected()))
                slowest = &seat;
        std::uint32_t const before = rooms;
        if (slowest != nullptr) assign_background(*slowest, 1);
        rarest_credit -= 1;
        if (rooms == before) return;
    }
}

double PiecePicker::State::missing_bytes(std::uint32_t target) const {
    PieceIndex const index = targets[target].wish.piece;
    Piece const& p = pieces[index.value()];
    if (p.flight == kNone) return p.phase == Phase::missing ? layout.bytes(index) : 0;
    BlockTable::Flight const& flight = table.flight(p.flight);
    return double{kBlockBytes} * (static_cast<std::uint32_t>(flight.blocks.size()) - flight.here);
}

std::uint32_t PiecePicker::State::assign_target(std::uint32_t number, std::uint32_t limit, double finish) {
    Target const& target = targets[number];
    PieceIndex const index = target.wish.piece;
    double const deadline = seconds_until(target.wish.deadline);
    bool const second = second_tries.is_one(index);
    bool only_good = false;
    for (Seat& seat : seats) {
        if (!seat.peer->may_be_asked(index)) continue;
        seat.reserved = true;
        only_good = only_good || seat.good;
    }
    std::uint32_t taken = 0;
    Seat const* previous = nullptr;
    while (taken < limit && rooms > 0 && open_targets.test(number)) {
        Seat* const best = quickest(number, only_good && !second, previous);
        if (best == nullptr) break;
        if (deadline < kUrgent && better_elsewhere(*best, number, std::max(deadline, finish))) break;
        if (take(*best, index, 1) == 0) {
            best->refused = number;
            continue;
        }
        previous = best;
        ++taken;
    }
    return taken;
}

PiecePicker::State::Seat* PiecePicker::State::quickest(std::uint32_t target, bool only_good, Seat const* previous) {
    PieceIndex const index = targets[target].wish.piece;
    bool const second = second_tries.is_one(index);
    Seat* best = nullptr;
    double best_time = 0;
    for (Seat& seat : seats) {
        if (seat.room == 0 || seat.refused == target || (seat.peer->parole && !second) || (only_good && !seat.good) ||
            !seat.peer->may_be_asked(index))
            continue;
        double const time = seat.expected() / (&seat == previous ? kAffinity : 1);
        if (best != nullptr && time >= best_time) continue;
        best = &seat;
        best_time = time;
    }
    return best;
}

bool PiecePicker::State::better_elsewhere(Seat const& seat, std::uint32_t target, double in_time) {
    PieceIndex const index = targets[target].wish.piece;
    double const time = seat.expected();
    if (kCaution * time <= in_time + kTolerance) return false;
    return std::ranges::any_of(seats, [&](Seat const& other) {
        return other.good && other.refused != target && other.peer->may_be_asked(index) && other.expected() * kMuchBetter < time;
    });
}

void PiecePicker::State::assign_rest() {
    Parole{*this}.assign();
    for (Seat& seat : seats) {
        if (seat.room == 0 || seat.peer->parole) continue;
        std::uint32_t const before = seat.room;
        assign_far(seat, seat.peer->rate.known() ? kFar : kUrgent);
        if (seat.room > 0) assign_background(seat, kUnlimited);
        if (seat.room > 0 && !seat.peer->rate.known()) assign_far(seat, 0);
        if (seat.room == before && !seat.reserved) seat.peer->nothing_as_of = changes;
    }
}

void PiecePicker::State::assign_far(Seat& seat, double at_least_seconds) {
    std::uint32_t target = open_targets.previous(open_targets.size());
    for (std::uint32_t looks = 0; looks < kFarLooks && target < open_targets.size() && seat.room > 0; ++looks) {
        Wish const& wish = targets[target].wish;
        if (seat.peer->may_be_asked(wish.piece)) {
            seat.reserved = true;
            if (seconds_until(wish.deadline) >= at_least_seconds) take(seat, wish.piece, kUnlimited);
        }
        target = open_targets.previous(target);
    }
}

}  // namespace rqfs::torrent
