#pragma once

#include "torrent/clock.h"
#include "torrent/endpoint.h"
#include "torrent/net/acceptor.h"
#include "torrent/net/interface_binding.h"
#include "torrent/net/tcp_connections.h"
#include "torrent/net/udp_sockets.h"
#include "torrent/status.h"
#include "torrent/task_group.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace rqfs::torrent {

// Keeps the listening sockets on the interface as it goes and comes, perhaps with other addresses or as another device
// of the same name: a socket stays tied to the device that it was opened on. Connections of addresses that have gone
// are ended. Looks once a second; that it notices late costs time and no secrecy. Engine thread only; stop() before
// destroying.
class InterfaceKeeper {
public:
    struct Sockets {  // all outlive it; one UDP socket an address, and one acceptor each or none at all
        std::vector<TcpAcceptor*> tcp;
        UdpSockets& udp;
        TcpConnections& connections;
    };

    using Look = std::function<InterfaceBinding::Attachment()>;

    // `opened`: the interface when they were opened; `look`: how it is now, if that is not to be asked of the kernel.
    InterfaceKeeper(boost::asio::any_io_executor const& executor, Clock& clock, InterfaceBinding binding,
                    InterfaceBinding::Attachment opened, Sockets sockets, Look look = nullptr);

    void start();  // does nothing where nothing is bound
    boost::asio::awaitable<void> stop();
    InterfaceStatus status() const;

private:
    boost::asio::awaitable<void> keep();
    void look();
    void open(std::size_t number, Endpoint const& at);
    void close(std::size_t number);

    Clock& clock_;
    InterfaceBinding binding_;
    Look look_;
    InterfaceBinding::Attachment last_;
    std::optional<TimePoint> changed_;  // when it could be used again, or no longer
    std::uint32_t losses_ = 0;
    Sockets sockets_;
    bool complained_ = false;  // a socket could not be opened since the interface has changed
    TaskGroup tasks_;
};

}  // namespace rqfs::torrent
