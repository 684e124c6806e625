#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::tests {

// A host with two network interfaces of both families, and a neighbour on each of the two networks, in network
// namespaces of their own. The thread that makes it is on that host as long as it lives; needs root.
//
// We are 10.77.0.1 and fd77:1::1 on the first network, 10.77.1.1 and fd77:2::1 on the second; neighbours end in 2.
class TwoNetworks {
public:
    // A neighbour of one network and family that is in a multicast group.
    struct Neighbour {
        std::string address;
        std::string sees_us_as;
        boost::asio::ip::udp::endpoint group;
        boost::asio::ip::udp::socket socket;  // does not block, speaks to its network alone

        void say(std::string_view text);
        // What it has heard by now that is not its own, and from whom: "ADDRESS TEXT".
        std::vector<std::string> heard();
    };

    // Nothing where this is not possible here.
    static std::unique_ptr<TwoNetworks> make();
    ~TwoNetworks();
    TwoNetworks(TwoNetworks const&) = delete;
    TwoNetworks& operator=(TwoNetworks const&) = delete;

    // All four: both networks of the family of each group.
    std::vector<Neighbour> join(boost::asio::io_context& engine,
                                std::array<boost::asio::ip::udp::endpoint, 2> const& groups);
    // On the first network, one a family, with addresses of another: 10.88.0.2 and fd88::2.
    std::vector<Neighbour> strangers(boost::asio::io_context& engine,
                                     std::array<boost::asio::ip::udp::endpoint, 2> const& groups);
    // On our own host: whatever its kernel gives to somebody in the group on the first network.
    std::vector<Neighbour> witnesses(boost::asio::io_context& engine,
                                     std::array<boost::asio::ip::udp::endpoint, 2> const& groups);

private:
    TwoNetworks();
    bool set_up();

    std::string us_;
    std::string them_;
    int home_;  // the namespace that the thread comes from
};

}  // namespace rqfs::tests
