#include "tools/rqfs/control_server.h"

#include "tools/rqfs/control_limits.h"
#include "tools/rqfs/log.h"
#include "torrent/error.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <exception>
#include <string_view>
#include <utility>

namespace rqfs::tools {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using boost::system::error_code;
using torrent::Errc;

namespace {

constexpr std::chrono::milliseconds kAcceptRetry{100};  // out of descriptors: others may be closed by then

[[noreturn]] void throw_errno(std::string const& what) {
    throw boost::system::system_error(errno, boost::system::system_category(), what);
}

// Removes what a daemon that crashed left at `path`.
void remove_stale_socket(asio::any_io_executor const& executor, std::string const& path) {
    struct stat found {};
    if (lstat(path.c_str(), &found) != 0) return;
    if (!S_ISSOCK(found.st_mode))
        torrent::throw_error(Errc::exists, "the control socket " + path + " exists and is no socket");
    stream_protocol::socket probe(executor);
    error_code code;
    probe.connect(stream_protocol::endpoint(path), code);
    if (!code || code == asio::error::try_again)
        torrent::throw_error(Errc::busy, "another daemon answers on the control socket " + path);
    if (code != asio::error::connection_refused)
        throw boost::system::system_error(code, "the control socket " + path + " is in use");
    if (unlink(path.c_str()) != 0) throw_errno("the old control socket " + path + " cannot be removed");
}

bool is_ours(stream_protocol::socket& socket) {
    ucred peer{};
    socklen_t size = sizeof(peer);
    if (getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
    return peer.uid == geteuid() || peer.uid == 0;
}

// Best effort, and never waits.
void refuse(stream_protocol::socket& socket) {
    constexpr std::string_view reply =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 81\r\nConnection: "
        "close\r\n\r\n"
        R"({"error": {"kind": "busy", "message": "too many requests are under way already"}})";
    static_assert(reply.size() - reply.find("{\"error") == 81);
    send(socket.native_handle(), reply.data(), reply.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

ControlServer::ControlServer(asio::any_io_executor executor, torrent::Clock& clock, torrent::Control& control,
                             DaemonControl& daemon)
    : clock_(clock), daemon_(daemon), api_(control, daemon), acceptor_(executor), tasks_(executor, "control server") {}

ControlServer::~ControlServer() { remove_socket(); }

void ControlServer::open(std::string path) {
    if (path.size() >= sizeof(sockaddr_un::sun_path))
        torrent::throw_error(Errc::too_large, "the control socket's path is over " +
                                                  std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                                                  " bytes: " + path);
    remove_stale_socket(tasks_.executor(), path);
    error_code code;
    acceptor_.open(stream_protocol(), code);
    // On Linux the mode of the descriptor becomes that of the file bind() makes: it is never open to others.
    if (!code && fchmod(acceptor_.native_handle(), S_IRUSR | S_IWUSR) != 0)
        throw_errno("the control socket's mode cannot be set");
    if (!code) acceptor_.bind(stream_protocol::endpoint(path), code);
    if (!code) acceptor_.listen(asio::socket_base::max_listen_connections, code);
    if (code) throw boost::system::system_error(code, "the control socket " + path + " cannot be made");
    struct stat made {};
    if (lstat(path.c_str(), &made) == 0) inode_ = made.st_ino;
    path_ = std::move(path);
    tasks_.spawn(accept_all());
}

void ControlServer::remove_socket() {
    struct stat found {};
    if (!path_.empty() && lstat(path_.c_str(), &found) == 0 && found.st_ino == inode_) unlink(path_.c_str());
    path_.clear();
}

asio::awaitable<void> ControlServer::stop() {
    remove_socket();
    error_code ignored;
    acceptor_.close(ignored);
    // Beast's operations take several steps and lose a cancellation that comes between two of them; a closed socket ends
    // them at the next.
    for (auto& connection : connections_) connection.close();
    co_await tasks_.stop();
}

asio::awaitable<void> ControlServer::accept_all() {
    while (acceptor_.is_open()) {
        stream_protocol::socket socket(tasks_.executor());
        error_code code;
        co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, code));
        if (code == asio::error::operation_aborted) co_return;
        if (code) {
            log().debug("control connection not accepted error={}", code.message());
            co_await clock_.sleep(kAcceptRetry);
        } else {
            take(std::move(socket));
        }
    }
}

void ControlServer::take(stream_protocol::socket socket) {
    if (!is_ours(socket)) {
        log().debug("control connection of another user refused");
        return;
    }
    if (!make_room()) {
        refuse(socket);
        return;
    }
    auto stop_daemon = [this] { daemon_.request_stop(); };
    auto const connection =
        connections_.emplace(connections_.end(), std::move(socket), clock_, api_, std::move(stop_daemon));
    tasks_.spawn(run(connection));
}

// Closed connections leave the list when their coroutine has ended, which is soon.
bool ControlServer::make_room() {
    auto const open = std::count_if(connections_.begin(), connections_.end(), [](auto const& c) { return c.open(); });
    if (static_cast<std::size_t>(open) < limit::kControlConnections) return true;
    auto const victim =
        std::find_if(connections_.begin(), connections_.end(), [](auto const& c) { return c.open() && c.idle(); });
    if (victim == connections_.end()) return false;
    victim->close();
    return true;
}

asio::awaitable<void> ControlServer::run(std::list<ControlConnection>::iterator connection) {
    std::exception_ptr failure;
    try {
        co_await connection->run();
    } catch (...) {
        failure = std::current_exception();
    }
    connections_.erase(connection);
    if (failure) std::rethrow_exception(failure);
}

}  // namespace rqfs::tools
