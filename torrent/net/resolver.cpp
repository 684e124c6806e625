#include "torrent/net/resolver.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

// Above the announces at once, so that only a dead DNS meets it; a thread that waits costs some 20 KiB.
constexpr std::size_t kLookupsAtOnce = 64;
// Of one name; the largest round-robins of trackers have a dozen.
constexpr std::size_t kAddressesPerName = 32;

void append(sockaddr const& from, std::vector<Address>& addresses) {
    std::array<std::byte, 16> bytes{};
    std::size_t size = 0;
    if (from.sa_family == AF_INET) {
        sockaddr_in four{};
        std::memcpy(&four, &from, sizeof four);
        size = 4;
        std::memcpy(bytes.data(), &four.sin_addr, size);
    } else if (from.sa_family == AF_INET6) {
        sockaddr_in6 six{};
        std::memcpy(&six, &from, sizeof six);
        size = 16;
        std::memcpy(bytes.data(), &six.sin6_addr, size);
    }
    auto const address = Address::from_bytes(std::span<std::byte const>(bytes.data(), size));
    if (address && std::find(addresses.begin(), addresses.end(), *address) == addresses.end())
        addresses.push_back(*address);
}

}  // namespace

struct SystemResolver::Lookup {
    std::string host;
    int done = -1;  // our end of the pair that says so; the other may be gone
    int code = 0;   // getaddrinfo's
    std::vector<Address> addresses;

    ~Lookup() { ::close(done); }

    // On its own thread; the byte sent hands the result over.
    void run() {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
        for (auto const* each = found; code == 0 && each && addresses.size() < kAddressesPerName; each = each->ai_next)
            append(*each->ai_addr, addresses);
        if (found) ::freeaddrinfo(found);
        char const byte = 0;
        while (::send(done, &byte, 1, MSG_NOSIGNAL) < 0 && errno == EINTR) {
        }
    }
};

asio::awaitable<std::vector<Address>> SystemResolver::resolve(std::string host) {
    if (auto const literal = Address::parse(host)) co_return std::vector<Address>(1, *literal);
    std::erase_if(running_, [](auto const& lookup) { return lookup.expired(); });
    if (running_.size() >= kLookupsAtOnce)
        throw boost::system::system_error(asio::error::host_not_found_try_again,
                                          "too many names are being looked up to find " + host);
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
        throw boost::system::system_error(errno, boost::system::system_category(), "cannot look up " + host);
    asio::posix::stream_descriptor done(co_await asio::this_coro::executor, ends[0]);
    auto lookup = std::make_shared<Lookup>();
    lookup->host = host;
    lookup->done = ends[1];
    running_.push_back(lookup);
    try {
        std::thread([lookup] { lookup->run(); }).detach();
    } catch (std::system_error const&) {
        throw boost::system::system_error(asio::error::no_memory, "cannot start looking up " + host);
    }
    char byte = 0;
    auto const buffer = asio::buffer(&byte, 1);
    co_await done.async_read_some(buffer, asio::use_awaitable);
    if (lookup->code != 0 || lookup->addresses.empty())
        throw boost::system::system_error(asio::error::host_not_found, "the name " + host + " is not known");
    co_return lookup->addresses;
}

}  // namespace rqfs::torrent
