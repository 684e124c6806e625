#include "torrent/peer/holepunch_relay.h"

#include "torrent/peer/settings.h"

#include <algorithm>
#include <chrono>

namespace rqfs::torrent {

using Message = HolepunchMessage;

std::vector<std::pair<PeerHandle, Message>> HolepunchRelay::rendezvous(
    PeerHandle from, Endpoint const& target, std::span<Member const> members,
    std::function<bool(Endpoint const&)> const& is_ours, TimePoint now) {
    auto const asking =
        std::find_if(members.begin(), members.end(), [from](auto const& member) { return member.handle == from; });
    if (asking == members.end() || !asking->speaks || !within_limit(asked_, from, now)) return {};
    auto const refuse = [&](Message::Failure why) {
        return std::vector{std::pair(from, Message{Message::Type::error, target, why})};
    };
    if (target.port == 0 || target == asking->remote || target == asking->listens_at)
        return refuse(Message::Failure::no_such_peer);
    if (is_ours(target)) return refuse(Message::Failure::no_self);
    auto const asked = std::find_if(members.begin(), members.end(), [&](auto const& member) {
        return member.listens_at == target || member.remote == target;
    });
    // Each is told of the other.
    if (asked == members.end() || asked->local != asking->local || !asked->may_be_told || !asking->may_be_told)
        return refuse(Message::Failure::not_connected);
    if (!asked->speaks) return refuse(Message::Failure::no_support);
    return {{from, Message{Message::Type::connect, target, Message::Failure::none}},
            {asked->handle, Message{Message::Type::connect, asking->listens_at, Message::Failure::none}}};
}

bool HolepunchRelay::may_dial_for(PeerHandle from, TimePoint now) { return within_limit(dialled_, from, now); }

void HolepunchRelay::left(PeerHandle peer) {
    asked_.erase(peer);
    dialled_.erase(peer);
}

bool HolepunchRelay::within_limit(Times& times, PeerHandle peer, TimePoint now) {
    auto& recent = times[peer];
    std::erase_if(recent, [now](TimePoint at) { return now - at >= std::chrono::minutes(1); });
    if (recent.size() >= limit::kHolepunchesAMinute) return false;
    recent.push_back(now);
    return true;
}

}  // namespace rqfs::torrent
