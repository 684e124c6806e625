#pragma once

#include "torrent/clock.h"
#include "torrent/endpoint.h"
#include "torrent/net/acceptor.h"
#include "torrent/net/stream_socket.h"
#include "torrent/per_family.h"
#include "torrent/settings.h"
#include "torrent/task_group.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace rqfs::torrent {

// Accepts connections and hands them to its owner. Nobody gets more than a few handshakes under way: not one address
// (IPv6: one /64, which is what a single host has). When too many are under way in all, the oldest of those who have
// most of them is closed for the new one, so that whoever only holds places is out and whoever speaks gets in. Engine
// thread only; stop() before destroying.
class Listener {
public:
    // One handshake under way, counted until this is destroyed: the owner keeps it until the peer has said who it is,
    // and no longer than the socket that came with it, which is closed when another takes its place. May outlive the
    // listener.
    class Pending {
    public:
        Pending() = default;
        Pending(Pending&& other) noexcept = default;
        Pending& operator=(Pending&& other) noexcept;
        ~Pending() { release(); }

    private:
        friend class Listener;
        struct Places;
        Pending(std::shared_ptr<Places> places, std::uint64_t number) : places_(std::move(places)), number_(number) {}
        void release();

        std::shared_ptr<Places> places_;
        std::uint64_t number_ = 0;
    };

    class Owner {
    public:
        virtual ~Owner() = default;
        // From inside the accept loop: starts the handshake and returns.
        virtual void incoming(std::unique_ptr<StreamSocket> socket, Pending pending) = 0;
    };

    struct Caps {
        std::size_t pending = limit::kPendingIncoming;
        std::size_t pending_per_address = limit::kPendingIncomingPerAddress;
    };

    // The acceptors and the owner outlive it.
    Listener(boost::asio::any_io_executor const& executor, Clock& clock,
             std::span<std::unique_ptr<Acceptor> const> acceptors, Owner& owner);
    Listener(boost::asio::any_io_executor const& executor, Clock& clock,
             std::span<std::unique_ptr<Acceptor> const> acceptors, Owner& owner, Caps caps);

    void start();
    boost::asio::awaitable<void> stop();  // closes the acceptors

    std::vector<Endpoint> local() const { return local_; }
    // Where others can connect to us: loopback is only better than nothing, which is 0.
    PerFamily<std::uint16_t> ports() const;

private:
    boost::asio::awaitable<void> accept(Acceptor& acceptor);
    void take(std::unique_ptr<StreamSocket> socket);

    Clock& clock_;
    std::span<std::unique_ptr<Acceptor> const> acceptors_;
    std::vector<Endpoint> local_;
    Owner& owner_;
    Caps caps_;
    std::shared_ptr<Pending::Places> places_;
    TaskGroup tasks_;
};

}  // namespace rqfs::torrent
