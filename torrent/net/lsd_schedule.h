#pragma once

#include "torrent/info_hash.h"
#include "torrent/units.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace rqfs::torrent {

// When which torrents are announced to the local network (BEP 14): a new one at once and, as a single datagram is
// easily lost, twice more soon after; then every five minutes. Of those whose time has come all speak in one minute, in
// as many datagrams as that takes; who was never heard of, or is waited for, does not wait for the minute. Pure.
class LsdSchedule {
public:
    static constexpr std::chrono::minutes kInterval{5};
    static constexpr std::chrono::minutes kPause{1};  // BEP 14: between announces, but for the first ones of a torrent
    static constexpr std::chrono::seconds kSpacing{1};  // between datagrams: rqbit listens to one a second
    static constexpr std::size_t kRepeats = 2;          // of a first announce, as LT: 2 s after it, and 4 s after that
    static constexpr std::chrono::seconds kFirstRepeat{2};

    void add(InfoHash const& info_hash, TimePoint now);
    void remove(InfoHash const& info_hash);
    // Somebody waits for it: before others, once, as soon as its last announce is a minute old.
    void hurry(InfoHash const& info_hash);
    // There are others to hear it: everything is announced anew, soon.
    void announce_all();

    // When take() has something to say or a removed one to forget; nothing without torrents.
    std::optional<TimePoint> next() const;
    // What the datagram says that is to be sent now, at most LsdMessage::kInfoHashes: the never said and the hurried
    // first, then the longest due. They count as announced. None where there was only something to forget.
    std::vector<InfoHash> take(TimePoint now);
    std::size_t remembered() const { return torrents_.size(); }  // with removed ones

private:
    struct Torrent {
        bool wanted = true;  // removed ones are remembered while adding them again shall not be an announce
        std::optional<TimePoint> said{};  // last time
        TimePoint due{};
        std::size_t repeats = kRepeats;  // of the first announce, still to come
        bool pressing = true;            // before the others
        bool has_turn = false;           // it is part of this minute's announce

        // Not only once a minute.
        bool any_time() const { return pressing || has_turn || (said && repeats > 0); }
    };

    void forget_removed(TimePoint now);
    void give_turns(TimePoint now);

    std::map<InfoHash, Torrent> torrents_;
    std::optional<TimePoint> last_turn_;
    std::optional<TimePoint> last_;
};

}  // namespace rqfs::torrent
