#include "torrent/net/dns_lookup.h"

#include "torrent/event.h"
#include "torrent/net/address_policy.h"
#include "torrent/net/endpoint_conversion.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <ares.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <map>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;
using boost::system::error_code;
using boost::system::system_error;

namespace {

constexpr int kFirstTryMilliseconds = 1'500;     // a second server is asked then; doubled from round to round
constexpr int kTries = 3;                        // of each server
constexpr std::chrono::milliseconds kTick{100};  // how exactly these times are kept
constexpr std::size_t kAddressesPerName = 32;    // the largest round-robins of trackers have a dozen
constexpr std::size_t kServers = 8;              // resolv.conf(5) has 3

using Servers = std::vector<Endpoint>;

template <class Raw>
Address address_of(int family, Raw const& raw) {
    std::array<std::uint8_t, 4> four{};
    std::array<std::uint8_t, 16> sixteen{};
    if (family == AF_INET) {
        std::memcpy(four.data(), &raw.addr4, four.size());
        return Address::v4(four);
    }
    std::memcpy(sixteen.data(), &raw.addr6, sixteen.size());
    return Address::v6(sixteen);
}

Servers servers_of(ares_channel channel) {
    Servers servers;
    ares_addr_port_node* first = nullptr;
    if (ares_get_servers_ports(channel, &first) != ARES_SUCCESS) return servers;
    for (auto const* each = first; each != nullptr && servers.size() < kServers; each = each->next)
        servers.push_back({address_of(each->family, each->addr), static_cast<std::uint16_t>(each->udp_port)});
    ares_free_data(first);
    return servers;
}

void set_servers(ares_channel channel, Servers const& servers) {
    std::vector<ares_addr_port_node> nodes(std::min(servers.size(), kServers));
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        auto const& address = servers[i].address;
        nodes[i] = {};
        nodes[i].next = i + 1 < nodes.size() ? &nodes[i + 1] : nullptr;
        nodes[i].family = address.is_v6() ? AF_INET6 : AF_INET;
        std::memcpy(&nodes[i].addr, address.bytes().data(), address.bytes().size());
        nodes[i].udp_port = nodes[i].tcp_port = servers[i].port;
    }
    ares_set_servers_ports(channel, nodes.data());
}

void append(sockaddr const& from, std::vector<Address>& addresses) {
    asio::ip::udp::endpoint endpoint;
    std::size_t const bytes = from.sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    std::memcpy(endpoint.data(), &from, bytes);
    endpoint.resize(bytes);
    auto const address = from_asio(endpoint).address;
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
}

// Until one of them has ended; the other is called off.
asio::awaitable<void> until_first(asio::awaitable<void> first, asio::awaitable<void> second) {
    auto const executor = co_await asio::this_coro::executor;
    auto group = asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(first), asio::deferred),
                                                         asio::co_spawn(executor, std::move(second), asio::deferred));
    auto wait = group.async_wait(asio::experimental::wait_for_one(), asio::deferred);
    auto [order, first_failure, second_failure] = co_await std::move(wait)(asio::use_awaitable);
    if (first_failure && second_failure) std::rethrow_exception(first_failure);
}

ares_channel open_channel(ares_options& settings, int mask, DnsOptions const& options) {
    std::string lookups = "b";  // DNS: the list of names has been asked already
    std::string resolv_conf = options.resolv_conf;
    settings.lookups = lookups.data();
    settings.resolvconf_path = resolv_conf.data();
    ares_channel channel = nullptr;
    int const code = ares_init_options(&channel, &settings, mask | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF);
    if (code != ARES_SUCCESS)
        throw system_error(asio::error::host_not_found_try_again,
                           std::string("no name can be looked up: ") + ares_strerror(code));
    if (!options.servers.empty()) set_servers(channel, options.servers);
    return channel;
}

[[noreturn]] void throw_not_found(std::string const& host, int status, InterfaceBinding const& binding) {
    if (status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_EBADNAME || status == ARES_ENONAME)
        throw system_error(asio::error::host_not_found, "the name " + host + " is not known");
    auto const through = binding.none() ? std::string() : " through " + binding.text();
    throw system_error(asio::error::host_not_found_try_again,
                       "the name " + host + " cannot be looked up" + through + ": " + ares_strerror(status));
}

}  // namespace

// c-ares' state and the sockets it has open, which Asio watches for it. c-ares calls back from inside of what is called
// here, and is never destroyed from there.
class DnsLookup::Channel {
public:
    Channel(asio::any_io_executor const& executor, Clock const& clock, DnsOptions const& options,
            std::shared_ptr<LingeringSockets> lingering)
        : executor_(executor), clock_(clock), options_(options), lingering_(std::move(lingering)), answered_(executor) {
        ares_options settings{};
        settings.timeout = kFirstTryMilliseconds;
        settings.tries = kTries;
        settings.sock_state_cb = &Channel::socket_state;
        settings.sock_state_cb_data = this;
        channel_ = open_channel(settings, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB, options);
        ares_set_socket_configure_callback(channel_, &Channel::tie, this);
    }

    ~Channel() { ares_destroy(channel_); }  // which lets go of every socket
    Channel(Channel const&) = delete;
    Channel& operator=(Channel const&) = delete;

    void ask(std::string const& host) {
        ares_addrinfo_hints hints{};
        auto const& binding = options_.binding;
        hints.ai_family = !binding.allows(true) ? AF_INET : !binding.allows(false) ? AF_INET6 : AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &Channel::answer, this);
    }

    asio::awaitable<void> wait_for_answer() {
        while (!done_) co_await answered_.wait();
    }

    // c-ares asks again, asks others and gives up only when it is called.
    asio::awaitable<void> keep_time(Clock& clock) {
        while (!done_) {
            co_await clock.sleep(kTick);
            ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        }
    }

    InterfaceBinding const& binding() const { return options_.binding; }
    int status() const { return status_; }
    std::vector<Address> take_addresses() { return std::move(addresses_); }

private:
    struct Watch {
        Watch(Channel& channel, int socket) : owner(&channel), descriptor(channel.executor_, socket) {}
        Channel* owner;                             // null: c-ares has done with the socket
        asio::posix::stream_descriptor descriptor;  // c-ares' own: released before it is closed
        std::array<bool, 2> wanted{};               // to read, to write
        std::array<bool, 2> pending{};
    };

    static int tie(ares_socket_t socket, int, void* self) {
        int family = 0;
        socklen_t bytes = sizeof family;
        if (::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &bytes) != 0) return -1;
        return static_cast<Channel*>(self)->options_.binding.tie_outgoing(socket, family == AF_INET6) ? -1 : 0;
    }

    static void socket_state(void* self, ares_socket_t socket, int readable, int writable) {
        static_cast<Channel*>(self)->watch(socket, readable != 0, writable != 0);
    }

    static void answer(void* self, int status, int, ares_addrinfo* found) {
        auto& channel = *static_cast<Channel*>(self);
        channel.done_ = true;
        channel.status_ = status;
        for (auto const* each = found == nullptr ? nullptr : found->nodes;
             each != nullptr && channel.addresses_.size() < kAddressesPerName; each = each->ai_next)
            append(*each->ai_addr, channel.addresses_);
        ares_freeaddrinfo(found);
        channel.answered_.notify();
    }

    void watch(int socket, bool readable, bool writable) {
        auto& watch = watches_[socket];
        if (!readable && !writable) {
            if (watch) {
                watch->owner = nullptr;
                watch->descriptor.release();
            }
            watches_.erase(socket);
            linger(socket);
            return;
        }
        if (!watch) watch = std::make_shared<Watch>(*this, socket);
        watch->wanted = {readable, writable};
        auto const kept = watch;
        wait(kept, 0);
        wait(kept, 1);
    }

    // c-ares closes the socket now, which goes on under another number.
    void linger(int socket) {
        if (!lingering_) return;
        lingering_->look(clock_.now());
        if (int const copy = ::fcntl(socket, F_DUPFD_CLOEXEC, 0); copy >= 0) lingering_->add(copy, clock_.now());
    }

    static void wait(std::shared_ptr<Watch> const& watch, std::size_t way) {
        if (watch->owner == nullptr || !watch->wanted[way] || watch->pending[way]) return;
        watch->pending[way] = true;
        auto const type = way == 0 ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write;
        watch->descriptor.async_wait(type, [watch, way](error_code code) {
            watch->pending[way] = false;
            if (code || watch->owner == nullptr) return;
            int const socket = watch->descriptor.native_handle();
            auto* const channel = watch->owner->channel_;
            ares_process_fd(channel, way == 0 ? socket : ARES_SOCKET_BAD, way == 1 ? socket : ARES_SOCKET_BAD);
            wait(watch, way);
        });
    }

    asio::any_io_executor executor_;
    Clock const& clock_;
    DnsOptions const& options_;
    std::shared_ptr<LingeringSockets> lingering_;
    Event answered_;
    ares_channel channel_ = nullptr;
    std::map<int, std::shared_ptr<Watch>> watches_;
    std::vector<Address> addresses_;
    int status_ = ARES_ENODATA;
    bool done_ = false;
};

DnsLookup::DnsLookup(asio::any_io_executor const& executor, Clock& clock, DnsOptions const& options,
                     std::shared_ptr<LingeringSockets> lingering)
    : channel_(std::make_unique<Channel>(executor, clock, options, std::move(lingering))), clock_(clock) {}

DnsLookup::~DnsLookup() = default;

asio::awaitable<std::vector<Address>> DnsLookup::ask(std::string host) {
    channel_->ask(host);
    auto waiting = channel_->wait_for_answer();
    auto timing = channel_->keep_time(clock_);
    co_await until_first(std::move(waiting), std::move(timing));
    auto addresses = channel_->take_addresses();
    if (channel_->status() != ARES_SUCCESS || addresses.empty())
        throw_not_found(host, channel_->status(), channel_->binding());
    co_return addresses;
}

std::string why_no_server(DnsOptions const& options) {
    if (options.binding.none() || options.binding.now().loopback) return {};
    ares_options settings{};
    auto const channel = open_channel(settings, 0, options);
    auto const servers = servers_of(channel);
    ares_destroy(channel);
    std::string names;
    for (auto const& server : servers) {
        if (!is_loopback(server.address)) return {};
        names += (names.empty() ? "" : ", ") + server.address.text();
    }
    return "no name can be looked up through " + options.binding.text() + ": the name servers (" + names +
           ") are on this machine's loopback, which it does not reach; name others in network.dns";
}

}  // namespace rqfs::torrent
