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
#include <vector>

namespace rqfs::torrent {

// Accepts connections and hands them to its owner; nobody gets more than a few handshakes under way. Engine thread
// only; stop() before destroying.
class Listener {
public:
    // One handshake under way, counted until this is destroyed: the owner keeps it until the peer has said who it is.
    // May outlive the listener.
    class Pending {
    public:
        Pending() = default;
        Pending(Pending&&) noexcept = default;
        Pending& operator=(Pending&& other) noexcept;
        ~Pending() { release(); }

    private:
        friend class Listener;
        struct Counts;
        Pending(std::shared_ptr<Counts> counts, Address const& address);
        void release();

        std::shared_ptr<Counts> counts_;
        Address address_;
    };

    class Owner {
    public:
        virtual ~Owner() = default;
        // From inside the accept loop: starts the handshake and returns.
        virtual void incoming(std::unique_ptr<StreamSocket> socket, Pending pending) = 0;
    };

    // More than these are closed as soon as they are accepted.
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
    std::shared_ptr<Pending::Counts> counts_;
    TaskGroup tasks_;
};

}  // namespace rqfs::torrent
