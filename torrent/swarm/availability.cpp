#include "torrent/swarm/availability.h"

#include <cassert>
#include <cstddef>
#include <utility>

namespace rqfs::torrent {

Availability::Availability(std::uint32_t pieces, std::uint64_t seed)
    : counts_(pieces, 0), places_(pieces, 0), offered_(pieces), random_state_(seed) {}

void Availability::add(PieceIndex piece) { change(piece.value(), 1); }

void Availability::remove(PieceIndex piece) { change(piece.value(), -1); }

void Availability::add(IndexSet const& pieces) {
    if (pieces.count() > pieces.size() / 8) stale_ = true;
    for (std::uint32_t i = pieces.next(0); i < pieces.size(); i = pieces.next(i + 1)) change(i, 1);
}

void Availability::remove(IndexSet const& pieces) {
    if (pieces.count() > pieces.size() / 8) stale_ = true;
    for (std::uint32_t i = pieces.next(0); i < pieces.size(); i = pieces.next(i + 1)) change(i, -1);
}

void Availability::change(std::uint32_t piece, std::int32_t by) {
    assert(by > 0 || counts_[piece] > 0);
    bool const listed = !stale_ && offered_.test(piece);
    if (listed) erase(piece);
    counts_[piece] = static_cast<std::uint32_t>(static_cast<std::int64_t>(counts_[piece]) + by);
    if (listed) insert(piece);
}

void Availability::offer(PieceIndex piece) {
    if (offered_.set(piece.value()) && !stale_) insert(piece.value());
}

void Availability::withdraw(PieceIndex piece) {
    if (offered_.clear(piece.value()) && !stale_) erase(piece.value());
}

bool Availability::obtainable() {
    if (offered_.count() == 0) return false;
    if (everywhere_ > 0) return true;
    rebuild();
    return buckets_.empty() || offered_.count() > buckets_[0].size();
}

std::optional<PieceIndex> Availability::pick(IndexSet const* has, bool reverse) {
    if (offered_.count() == 0) return std::nullopt;
    rebuild();
    // Pieces of bucket 0 are with those who have all, if with anybody.
    std::size_t const lowest = has == nullptr ? 0 : 1;
    std::uint32_t looks = 0;
    for (std::size_t n = lowest; n < buckets_.size(); ++n) {
        auto const& bucket = buckets_[reverse ? buckets_.size() - 1 - (n - lowest) : n];
        for (std::uint32_t const piece : bucket) {
            if (has == nullptr || has->test(piece)) return PieceIndex(piece);
            if (++looks == kLooks) return sample(*has, reverse);
        }
    }
    return std::nullopt;
}

std::optional<PieceIndex> Availability::sample(IndexSet const& has, bool reverse) {
    std::uint32_t const size = offered_.size();
    std::uint32_t const start = random(size);
    std::optional<PieceIndex> best;
    std::uint32_t seen = 0;
    auto const compare = [&](std::uint32_t from, std::uint32_t end) {
        for (std::uint32_t i = offered_.next_common(has, from); i < end && seen < kSample;
             i = offered_.next_common(has, i + 1)) {
            ++seen;
            if (!best || (reverse ? counts_[i] > counts_[best->value()] : counts_[i] < counts_[best->value()]))
                best = PieceIndex(i);
        }
    };
    compare(start, size);
    compare(0, start);
    return best;
}

std::optional<PieceIndex> Availability::any(IndexSet const* has) {
    std::uint32_t const size = offered_.size();
    if (offered_.count() == 0) return std::nullopt;
    std::uint32_t const start = random(size);
    auto const at = [&](std::uint32_t from) {
        return has == nullptr ? offered_.next(from) : offered_.next_common(*has, from);
    };
    std::uint32_t piece = at(start);
    if (piece == size) piece = at(0);
    if (piece == size) return std::nullopt;
    return PieceIndex(piece);
}

void Availability::insert(std::uint32_t piece) {
    std::size_t const number = counts_[piece];
    if (buckets_.size() <= number) buckets_.resize(number + 1);
    auto& bucket = buckets_[number];
    bucket.push_back(piece);
    std::uint32_t const last = static_cast<std::uint32_t>(bucket.size() - 1);
    std::uint32_t const place = random(last + 1);
    std::swap(bucket[place], bucket[last]);
    places_[bucket[place]] = place;
    places_[bucket[last]] = last;
}

void Availability::erase(std::uint32_t piece) {
    auto& bucket = buckets_[counts_[piece]];
    std::uint32_t const place = places_[piece];
    bucket[place] = bucket.back();
    places_[bucket[place]] = place;
    bucket.pop_back();
}

void Availability::rebuild() {
    if (!stale_) return;
    stale_ = false;
    for (auto& bucket : buckets_) bucket.clear();
    for (std::uint32_t i = offered_.next(0); i < offered_.size(); i = offered_.next(i + 1)) insert(i);
}

std::uint32_t Availability::random(std::uint32_t below) {
    // SplitMix64 (Steele, Lea, Flood 2014): the standard's distributions differ between libraries.
    random_state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = random_state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return static_cast<std::uint32_t>((z >> 32) * below >> 32);
}

}  // namespace rqfs::torrent
