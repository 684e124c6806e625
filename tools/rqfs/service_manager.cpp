#include "tools/rqfs/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>

namespace rqfs::tools {

void notify_service_manager(std::string_view state) {
    char const* const variable = std::getenv("NOTIFY_SOCKET");
    std::string_view const path = variable == nullptr ? std::string_view() : variable;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    bool const known = path.size() > 1 && path.size() < sizeof(address.sun_path) && (path[0] == '/' || path[0] == '@');
    if (!known) return;
    path.copy(address.sun_path, path.size());
    if (path[0] == '@') address.sun_path[0] = '\0';  // Linux's abstract names
    auto const size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    int const socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket < 0) return;
    void const* const generic = &address;
    sendto(socket, state.data(), state.size(), MSG_NOSIGNAL, static_cast<sockaddr const*>(generic), size);
    close(socket);
}

}  // namespace rqfs::tools
