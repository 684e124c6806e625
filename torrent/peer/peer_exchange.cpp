#include "torrent/peer/peer_exchange.h"

#include "torrent/peer/settings.h"

#include <algorithm>
#include <chrono>

namespace rqfs::torrent {

using namespace std::chrono_literals;

namespace {

// A swarm that has just begun to gather is worth telling of a moment later.
constexpr std::chrono::seconds kFirstMessage{2};
constexpr std::chrono::seconds kInterval{60};  // BEP 11

std::vector<PexPeer> others(std::span<PeerExchange::Member const> members, PeerExchange::Member const& partner) {
    std::vector<PexPeer> all;
    for (auto const& member : members) {
        if (member.handle == partner.handle || !member.listens_at || member.listens_at == partner.listens_at) continue;
        if (member.local && !partner.local) continue;
        if ((member.flags & partner.flags & PexPeer::kSeed) != 0) continue;
        auto const same =
            std::find_if(all.begin(), all.end(), [&](auto const& peer) { return peer.endpoint == *member.listens_at; });
        if (same == all.end()) all.push_back({*member.listens_at, member.flags});
    }
    // Those known to answer first, where a message has no room for all.
    std::stable_sort(all.begin(), all.end(), [](auto const& a, auto const& b) {
        return (a.flags & PexPeer::kReachable) > (b.flags & PexPeer::kReachable);
    });
    return all;
}

}  // namespace

void PeerExchange::joined(PeerHandle peer, TimePoint now) {
    auto const [partner, fresh] = partners_.try_emplace(peer);
    if (fresh) partner->second.next = now + kFirstMessage;
}

bool PeerExchange::due(TimePoint now) const {
    return std::any_of(partners_.begin(), partners_.end(),
                       [now](auto const& entry) { return entry.second.next <= now; });
}

std::vector<std::pair<PeerHandle, PexMessage>> PeerExchange::news(std::span<Member const> members, TimePoint now) {
    std::vector<std::pair<PeerHandle, PexMessage>> all;
    for (auto const& member : members) {
        auto const partner = partners_.find(member.handle);
        if (partner == partners_.end() || partner->second.next > now) continue;
        auto message = partner->second.news.next(others(members, member));
        // Nothing to say now costs nobody the minute: the first change is told at once.
        partner->second.next = now + (message.empty() ? Duration(kFirstMessage) : Duration(kInterval));
        if (!message.empty()) all.emplace_back(member.handle, std::move(message));
    }
    return all;
}

PeerExchange::Heard PeerExchange::heard(PeerHandle from, PexMessage const& message, TimePoint now) {
    auto const found = partners_.find(from);
    if (found == partners_.end()) return {};
    auto& partner = found->second;
    std::erase_if(partner.messages, [now](TimePoint at) { return now - at >= kInterval; });
    if (partner.messages.size() >= limit::kPexMessagesBeforeDrop) return {true, {}};
    partner.messages.push_back(now);
    if (partner.messages.size() > limit::kPexMessagesAMinute) return {};
    return {false, message.added};
}

}  // namespace rqfs::torrent
