#pragma once

#include "torrent/endpoint.h"
#include "torrent/peer/holepunch_message.h"
#include "torrent/units.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace rqfs::torrent {

// The relay of BEP 55 among the peers of one torrent: who asks to meet another one is told its endpoint, and the other
// one is told of who asked. Pure.
class HolepunchRelay {
public:
    // A connected peer.
    struct Member {
        PeerHandle handle;
        Endpoint remote;          // where the connection comes from
        Endpoint listens_at;      // as it told, or as it was dialled; remote where it did not say
        bool speaks = false;      // ut_holepunch
        bool local = false;       // its address means something in our own network alone: others are not told of it
        bool may_be_told = true;  // listens_at is no place, such as somebody's mail server, that nobody should dial
    };

    // What a rendezvous from `from` leads to, in order: two connects or one error; nothing when `from` does not speak
    // the extension itself or asks more than limit::kHolepunchesAMinute times. `is_ours` knows our own endpoints.
    std::vector<std::pair<PeerHandle, HolepunchMessage>> rendezvous(PeerHandle from, Endpoint const& target,
                                                                    std::span<Member const> members,
                                                                    std::function<bool(Endpoint const&)> const& is_ours,
                                                                    TimePoint now);
    // Whether a connect that `from` sent us may make us dial.
    bool may_dial_for(PeerHandle from, TimePoint now);
    void left(PeerHandle peer);

private:
    using Times = std::map<PeerHandle, std::deque<TimePoint>>;
    static bool within_limit(Times& times, PeerHandle peer, TimePoint now);

    Times asked_;
    Times dialled_;
};

}  // namespace rqfs::torrent
