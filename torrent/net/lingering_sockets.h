#pragma once

#include "torrent/units.h"

#include <cstddef>
#include <list>

namespace rqfs::torrent {

// Sockets tied to an interface that we have done with while others may still send to them. What comes for a socket that
// is no more is answered by the kernel itself, with a TCP reset or by ICMP, and this answer is tied to nothing: it
// takes whatever way the routes give. So a connection says its end and stays, and what still comes is read and thrown
// away, until the other end has closed, too. Who goes on sending nevertheless is read no more for a while, and then the
// socket, tied as it is, resets the connection. Who sends fast has filled the receive buffer by then and was told to
// wait, so that nothing of his is on its way; of who sends little something may be. One of datagrams only stays open.
// Time is an argument. Engine thread only.
class LingeringSockets {
public:
    // Beyond `most` the oldest is closed.
    explicit LingeringSockets(std::size_t most) : most_(most) {}
    ~LingeringSockets() { close_all(); }
    LingeringSockets(LingeringSockets const&) = delete;
    LingeringSockets& operator=(LingeringSockets const&) = delete;

    // Owns the descriptor from now on: of datagrams, or of a connection, also one that is still being made.
    void add(int descriptor, TimePoint now);
    // Reads, and closes those that the other end has closed and those whose time is over.
    void look(TimePoint now);
    void close_all();
    std::size_t size() const { return sockets_.size(); }

private:
    struct Socket {
        int descriptor;
        bool stream;
        TimePoint since;
        bool end_said = false;
    };

    static bool has_ended(Socket& socket, TimePoint now);
    static void reset(Socket const& socket);

    std::size_t most_;
    std::list<Socket> sockets_;  // the oldest first
};

}  // namespace rqfs::torrent
