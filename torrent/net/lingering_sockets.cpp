#include "torrent/net/lingering_sockets.h"

#include "torrent/limits.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <iterator>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kReadBytes = 64u << 10;
constexpr int kReadsALook = 4;  // others wait meanwhile

bool is_stream(int descriptor) {
    int type = 0;
    socklen_t bytes = sizeof type;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 && type == SOCK_STREAM;
}

// Before that shutdown() would call the dial off, and its late answer would find no socket.
bool is_connected(int descriptor) {
    sockaddr_storage ignored{};
    socklen_t bytes = sizeof ignored;
    return ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&ignored), &bytes) == 0;
}

void discard(int descriptor) {
    std::array<std::byte, kReadBytes> room;
    for (int i = 0; i < kReadsALook; ++i)
        if (::recv(descriptor, room.data(), room.size(), MSG_DONTWAIT) <= 0) return;
}

// Both ends have said so, or it is broken.
bool is_over(int descriptor) {
    pollfd asked{descriptor, 0, 0};
    return ::poll(&asked, 1, 0) != 0;
}

}  // namespace

bool LingeringSockets::has_ended(Socket& socket, TimePoint now) {
    if (!socket.stream) return false;
    if (!socket.end_said && is_connected(socket.descriptor))
        socket.end_said = ::shutdown(socket.descriptor, SHUT_WR) == 0;
    if (now < socket.since + limit::kLingerReading) discard(socket.descriptor);
    return is_over(socket.descriptor);
}

// Instead of waiting, with no socket left, for who does not close.
void LingeringSockets::reset(Socket const& socket) {
    linger const at_once{1, 0};
    if (socket.stream) ::setsockopt(socket.descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(socket.descriptor);
}

void LingeringSockets::add(int descriptor, TimePoint now) {
    Socket socket{descriptor, is_stream(descriptor), now};
    if (has_ended(socket, now)) {
        ::close(descriptor);
        return;
    }
    sockets_.push_back(socket);
    if (sockets_.size() <= most_) return;
    reset(sockets_.front());
    sockets_.pop_front();
}

void LingeringSockets::look(TimePoint now) {
    for (auto at = sockets_.begin(); at != sockets_.end();) {
        bool const late = now >= at->since + limit::kLingerReading + limit::kLingerUnread;
        bool const ended = has_ended(*at, now);
        if (ended)
            ::close(at->descriptor);
        else if (late)
            reset(*at);
        at = ended || late ? sockets_.erase(at) : std::next(at);
    }
}

void LingeringSockets::close_all() {
    for (auto const& socket : sockets_) reset(socket);
    sockets_.clear();
}

}  // namespace rqfs::torrent
