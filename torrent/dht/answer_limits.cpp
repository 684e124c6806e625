#include "torrent/dht/answer_limits.h"

#include "torrent/address_network.h"
#include "torrent/settings.h"

#include <algorithm>
#include <chrono>

namespace rqfs::torrent {

namespace {

constexpr double kAddressBurst = 50;     // of 10 a second
constexpr double kShareBurst = 400;      // JD's token bucket
constexpr double kSeldom = 0.8;          // of its burst left: an address that has hardly asked
constexpr double kCreditBytes = 3'000;   // answers to an unproven address: four full ones, one a torrent and a retry
constexpr double kCreditPerSecond = 10;  // and the same again after five minutes
constexpr double kAnswerBytesPerByte = 1.4;     // an amplification below 1.5, headers of the datagrams left out
constexpr std::chrono::minutes kProvenFor{15};  // as long as a node is good (BEP 5)

}  // namespace

AnswerLimits::Share::Share()
    : households(limit::kDhtAddressesRemembered), queries(limit::kDhtQueriesPerSecond, kShareBurst) {}

AnswerLimits::AnswerLimits()
    : proven_until_(limit::kDhtAddressesRemembered),
      bytes_(limit::kDhtAnswerBytesPerSecond, 2.0 * limit::kDhtAnswerBytesPerSecond) {}

AnswerLimits::Entry AnswerLimits::fresh_entry() {
    return {TokenBucket(limit::kDhtQueriesPerAddress, kAddressBurst), TokenBucket(kCreditPerSecond, kCreditBytes)};
}

bool AnswerLimits::is_proven(Address const& address, TimePoint now) {
    auto const* const until = proven_until_.find(address);
    return until && *until > now;
}

void AnswerLimits::proved(Address const& address, TimePoint now) {
    proven_until_.touch(address, TimePoint{}) = now + kProvenFor;
}

bool AnswerLimits::admit(Address const& from, std::size_t bytes, TimePoint now) {
    bool const proven = is_proven(from, now);
    if (proven) proven_until_.touch(from, TimePoint{});  // who asks is remembered longest
    auto& share = proven ? proven_ : unproven_;
    auto& entry = share.households.touch(household_of(from), fresh_entry());
    // Before its query counts: who asks too often does not earn by it.
    auto const left = entry.queries.available(now);
    if (!entry.queries.try_take(1, now)) return false;
    bool const scarce = share.queries.available(now) < share.queries.burst() / 2;
    if (scarce && left < kSeldom * entry.queries.burst()) return false;
    if (!share.queries.try_take(1, now)) return false;
    entry.credit.take(-kAnswerBytesPerByte * static_cast<double>(bytes));
    return true;
}

std::size_t AnswerLimits::room(Address const& to, TimePoint now) {
    auto room = std::min(bytes_.available(now), static_cast<double>(limit::kDhtReplyBytes));
    if (!is_proven(to, now)) {
        // Half of the burst is kept for those we know.
        if (bytes_.available(now) < bytes_.burst() / 2) return 0;
        auto* const entry = unproven_.households.find(household_of(to));
        room = entry ? std::min(room, entry->credit.available(now)) : 0;
    }
    return room > 0 ? static_cast<std::size_t>(room) : 0;
}

void AnswerLimits::sent(Address const& to, std::size_t bytes, TimePoint now) {
    bytes_.take(static_cast<double>(bytes));
    if (is_proven(to, now)) return;
    if (auto* const entry = unproven_.households.find(household_of(to))) entry->credit.take(static_cast<double>(bytes));
}

}  // namespace rqfs::torrent
