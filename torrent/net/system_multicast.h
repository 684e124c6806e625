#pragma once

#include "torrent/clock.h"
#include "torrent/net/interface_binding.h"
#include "torrent/net/local_networks.h"
#include "torrent/net/multicast.h"
#include "torrent/task_group.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <memory>
#include <set>
#include <span>
#include <vector>

namespace rqfs::torrent {

// The machine's own networks, as they come and go. Engine thread only; stop() before destroying.
class SystemMulticast final : public Multicast {
public:
    // Only where one of `listening` can be dialled, and on the one interface if bound. Opens nothing before join().
    SystemMulticast(boost::asio::any_io_executor executor, Clock& clock, std::vector<Endpoint> listening,
                    InterfaceBinding binding = {});
    ~SystemMulticast() override;

    void join(std::span<Endpoint const> groups, Receiver& receiver) override;
    void leave() override;
    void send(Endpoint const& group, std::span<std::byte const> bytes) override;
    bool is_neighbour(Address const& address) const override { return torrent::is_neighbour(networks_, address); }
    boost::asio::awaitable<void> stop();

private:
    struct Group {
        Endpoint endpoint;
        boost::asio::ip::udp::socket socket;
        std::set<unsigned> joined;  // interfaces
    };

    void look_for_networks();
    void join_interfaces(Group& group);
    boost::asio::awaitable<void> receive(Group& group);
    void receive_one_batch(Group& group);
    boost::asio::awaitable<void> follow_changes();

    boost::asio::any_io_executor executor_;
    Clock& clock_;
    std::vector<Endpoint> listening_;
    InterfaceBinding binding_;
    std::vector<LocalNetwork> networks_;
    Receiver* receiver_ = nullptr;
    std::vector<std::unique_ptr<Group>> groups_;
    std::unique_ptr<boost::asio::posix::stream_descriptor> changes_;  // the kernel's news of interfaces and addresses
    TaskGroup tasks_;
};

}  // namespace rqfs::torrent
