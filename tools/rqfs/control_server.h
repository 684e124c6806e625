#pragma once

#include "tools/rqfs/control_api.h"
#include "tools/rqfs/control_connection.h"
#include "torrent/clock.h"
#include "torrent/task_group.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <sys/types.h>

#include <list>
#include <memory>
#include <string>

namespace rqfs::tools {

// HTTP/1.1 and JSON on a Unix socket of mode 0600 for clients of the same user or root: the API of rqfs-api.7. Owned by
// Daemon; engine thread only; stop() before destruction. Limits: control_limits.h.
//
// A client that only holds its connection open never keeps others out: with all connections taken, the longest idle one
// is closed.
class ControlServer {
public:
    ControlServer(boost::asio::any_io_executor executor, torrent::Clock& clock, torrent::Control& control,
                  DaemonControl& daemon);
    ~ControlServer();

    // Listens at `path`, replacing a socket that nobody listens on any more. Throws system_error with a sentence: busy
    // when a daemon answers there, exists when something else is there.
    void open(std::string path);

    // Removes the socket and ends all connections.
    boost::asio::awaitable<void> stop();

private:
    using Acceptor = boost::asio::local::stream_protocol::acceptor;

    boost::asio::awaitable<void> accept_all();
    boost::asio::awaitable<void> run(std::list<ControlConnection>::iterator connection);
    void take(ControlConnection::Socket socket);
    bool make_room();
    void remove_socket();

    torrent::Clock& clock_;
    DaemonControl& daemon_;
    ControlApi api_;
    Acceptor acceptor_;
    std::string path_;
    ino_t inode_ = 0;                           // of the socket we made: another's is not removed
    std::list<ControlConnection> connections_;  // oldest first
    torrent::TaskGroup tasks_;
};

}  // namespace rqfs::tools
