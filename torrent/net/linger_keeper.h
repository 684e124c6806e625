#pragma once

#include "torrent/clock.h"
#include "torrent/limits.h"
#include "torrent/net/lingering_sockets.h"
#include "torrent/task_group.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace rqfs::torrent {

// Ends the connections of a network that is tied to an interface, in time; a SystemNetwork's. Engine thread only;
// stop() before destroying.
class LingerKeeper {
public:
    // `clock` outlives it.
    LingerKeeper(boost::asio::any_io_executor const& executor, Clock& clock);

    // Leaves it closed, and what was under way on it aborted; after stop() as it is.
    void take(boost::asio::ip::tcp::socket& socket);
    // Waits a moment for the other ends, then closes all.
    boost::asio::awaitable<void> stop();

private:
    boost::asio::awaitable<void> keep();
    boost::asio::awaitable<void> wait_until_empty(TimePoint until);

    Clock& clock_;
    LingeringSockets sockets_{limit::kLingering};
    bool keeping_ = false;
    bool stopped_ = false;
    TaskGroup tasks_;
};

}  // namespace rqfs::torrent
