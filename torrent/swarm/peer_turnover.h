#pragma once

#include "torrent/units.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace rqfs::torrent {

// What the turnover must know of a connected peer.
struct TurnoverPeer {
    PeerHandle peer;
    bool kept = false;        // the user named it, or it is on our own network
    bool wanted = false;      // it has something that we want
    bool served = false;      // it takes what we have, or waits for it
    bool asked = false;       // it owes us blocks
    double rate = 0;          // bytes a second it gives us
    Duration useless{};       // since the last payload either way, or change of interest, at most since it connected
    Duration unwanted{};      // since it had something that we want, at most since it connected
    Duration gave_nothing{};  // since it gave us something, at most since it connected
    std::optional<Duration> unchokes_us;  // for so long; nothing: it chokes us
};

// Which connections end because others wait for their places: those that have nothing for us, never let us have it, or
// give it far slower than others do. Pure; owned by Connections.
//
// Nobody leaves while there is room or nobody fresh to dial; of many only a few leave at once, so that a swarm where
// all are bad is searched through and not dropped.
class PeerTurnover {
public:
    struct Places {
        std::size_t taken = 0;
        std::size_t all = 0;
        bool somebody_waits = false;  // an address that has not been tried lately
        bool active = false;          // somebody reads or downloads
        // Somebody waits for data that is not here: only who gives, or has what we want, is served then. Everybody else
        // may be one host under many names, that only pretends to want something.
        bool starved = false;
    };

    // Who leaves, the most useless first. Call often: it has its own pace.
    std::vector<PeerHandle> choose(std::span<TurnoverPeer const> peers, Places const& places, TimePoint now);

    // Who leaves at once for one that dialled us while all places are taken: nobody, or the most useless.
    std::vector<PeerHandle> make_room(std::span<TurnoverPeer const> peers, Places const& places, TimePoint now);

    static constexpr std::chrono::seconds kGuestPace{5};  // six in kActivePace, twice the share of eighty
    static constexpr std::chrono::seconds kPace{300};     // LT peer_turnover_interval
    static constexpr std::chrono::seconds kActivePace{
        30};  // while somebody reads or downloads: a film has no five minutes
    static constexpr std::chrono::seconds kNothingForUs{60};  // neither wants anything: as long as a paused reader
                                                              // keeps its window
    static constexpr std::chrono::seconds kChokesUs{180};     // 18 rounds of its choker, 6 optimistic turns
    static constexpr std::chrono::seconds kSlow{30};          // after this long a rate is known; choker's kOptimistic
    static constexpr double kSlowShare = 0.05;                // of the median rate
    static constexpr double kShare = 0.04;                    // of all that leave at once: LT peer_turnover; at least 1
    static constexpr double kFull = 0.9;                      // of the places: LT peer_turnover_cutoff

private:
    TimePoint next_{};
    TimePoint next_guest_{};
};

}  // namespace rqfs::torrent
