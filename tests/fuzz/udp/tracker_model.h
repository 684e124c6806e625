#pragma once

#include "torrent/endpoint.h"
#include "torrent/tracker/udp_messages.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::tests {

// What must hold of a UdpTracker, judged by nothing but what is asked of it and what comes and goes; whatever does not
// ends the program.
class TrackerModel {
public:
    // A request that may still be answered.
    struct Asked {
        torrent::Endpoint to;
        torrent::UdpAction action;
        std::uint32_t transaction = 0;
        torrent::TimePoint sent;
        bool answered = false;
        bool over = false;  // perhaps: its call has ended
    };
    using Trackers = std::vector<torrent::Endpoint>;

    void call_begins(Trackers const& trackers);
    void call_ends(Trackers const& trackers);

    void leaves(torrent::Endpoint const& to, std::string const& bytes, torrent::TimePoint now);
    // Right away; `taken`: by the UdpTracker.
    void came(torrent::Endpoint const& from, std::string const& bytes, bool taken, torrent::TimePoint now);
    // All that came is dealt with.
    void settled(torrent::TimePoint now);

    std::vector<Asked> const& asked() const { return asked_; }
    // Whether this address has answered an announcement.
    bool announced_by(torrent::Address const& from) const { return announced_.contains(from); }

private:
    struct Place {
        std::size_t calls = 0;      // that may ask there now
        std::size_t datagrams = 0;  // that may still be sent there
    };
    Asked* fitting(torrent::Endpoint const& from, std::string const& bytes);

    std::map<torrent::Endpoint, Place> places_;
    std::vector<Asked> asked_;
    std::map<std::pair<torrent::Endpoint, std::uint64_t>, torrent::TimePoint> connections_;  // when given
    std::set<torrent::Address> announced_;
};

}  // namespace rqfs::tests
