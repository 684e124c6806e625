#pragma once

#include "torrent/clock.h"
#include "torrent/net/udp_socket.h"
#include "torrent/settings.h"
#include "torrent/tracker/announce_slots.h"
#include "torrent/tracker/udp_tracker.h"

#include <boost/asio/any_io_executor.hpp>

namespace rqfs::torrent {

// What the announcers of a session have in common besides their network: the UDP tracker protocol with its connections,
// and the number of announces at once. Owned by Session, outlives every announcer.
struct TrackerClients {
    TrackerClients(boost::asio::any_io_executor const& executor, Clock& clock, UdpSocket& socket)
        : udp(executor, clock, socket), slots(executor, limit::kAnnouncesAtOnce) {}

    UdpTracker udp;
    AnnounceSlots slots;
};

}  // namespace rqfs::torrent
