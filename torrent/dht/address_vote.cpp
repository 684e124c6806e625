#include "torrent/dht/address_vote.h"

#include "torrent/address_network.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kFirstRoundVotes = 10;  // while none was voted for: a first search hears more nodes than this
constexpr std::size_t kRoundVotes = 50;       // libtorrent's voter
constexpr std::chrono::minutes kRound{5};     // libtorrent's voter
constexpr std::uint32_t kLeastVotes = 2;      // libtorrent's voter

}  // namespace

std::optional<Address> AddressVote::vote(Address const& voter, Address const& us, TimePoint now) {
    if (voters_.empty()) began_ = now;
    if (!voters_.insert(one_vote_a_network_ ? site_of(voter) : voter).second) return std::nullopt;
    ++votes_[us];
    auto const enough = voted_ ? kRoundVotes : kFirstRoundVotes;
    if (voters_.size() < enough && now - began_ < kRound) return std::nullopt;
    auto const decided = decide();
    voters_.clear();
    votes_.clear();
    if (!decided) return std::nullopt;
    voted_ = true;
    if (decided == winner_) return std::nullopt;
    winner_ = decided;
    return winner_;
}

// The most named, if it has at least two votes and the next has at most two thirds of them.
std::optional<Address> AddressVote::decide() {
    auto const fewer = [](auto const& a, auto const& b) { return a.second < b.second; };
    auto const first = *std::max_element(votes_.begin(), votes_.end(), fewer);
    if (first.second < kLeastVotes) return std::nullopt;
    for (auto const& [address, count] : votes_)
        if (address != first.first && count * 3 > first.second * 2) return std::nullopt;
    return first.first;
}

}  // namespace rqfs::torrent
