#pragma once

#include "torrent/info_hash.h"
#include "torrent/units.h"

#include <chrono>
#include <map>
#include <optional>
#include <vector>

namespace rqfs::torrent {

// When which torrents are announced to the local network: each at once and then every five minutes, several together,
// and no more than one announce a minute (BEP 14). Pure.
class LsdSchedule {
public:
    static constexpr std::chrono::minutes kInterval{5};
    static constexpr std::chrono::minutes kPause{1};

    void add(InfoHash const& info_hash, TimePoint now);
    void remove(InfoHash const& info_hash);
    // There are others to hear it: everything is announced anew, soon.
    void announce_all();

    // When take() has something next; nothing without torrents.
    std::optional<TimePoint> next() const;
    // Those to be announced now, the longest unsaid first, at most LsdMessage::kInfoHashes; they count as announced.
    std::vector<InfoHash> take(TimePoint now);

private:
    struct Torrent {
        bool wanted = true;  // removed ones are remembered while adding them again shall not be an announce
        std::optional<TimePoint> said{};  // last time
        TimePoint due{};
    };

    std::map<InfoHash, Torrent> torrents_;
    std::optional<TimePoint> last_;
};

}  // namespace rqfs::torrent
