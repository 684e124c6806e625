#pragma once

#include "torrent/endpoint.h"
#include "torrent/net/udp_socket.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::tests {

// A UDP socket without a network: what is sent goes to the test, what the test injects comes from wherever it says. Fit
// for virtual time.
class FakeUdp final : public torrent::UdpSocket {
public:
    struct Sent {
        torrent::Endpoint to;
        std::string bytes;
    };

    explicit FakeUdp(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

    // Called with every datagram sent; its answers come back from where it went.
    std::function<std::vector<std::string>(Sent const&)> network = [](Sent const&) {
        return std::vector<std::string>();
    };
    std::vector<Sent> sent;
    std::vector<torrent::Endpoint> listening;
    std::string hindrance;  // why nothing gets out
    std::optional<torrent::Endpoint> answers_from;  // instead of from where it went

    void inject(torrent::Endpoint from, std::string bytes) {
        boost::asio::post(executor_, [this, from, bytes = std::move(bytes)] {
            auto const receivers = receivers_;
            for (auto* const receiver : receivers)
                if (receiver->datagram(from, {reinterpret_cast<std::byte const*>(bytes.data()), bytes.size()})) return;
        });
    }

    void send(torrent::Endpoint const& to, std::span<std::byte const> bytes) override {
        sent.push_back({to, std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size())});
        for (auto& answer : network(sent.back())) inject(answers_from.value_or(to), std::move(answer));
    }
    void add(Receiver& receiver) override { receivers_.push_back(&receiver); }
    void remove(Receiver& receiver) override { std::erase(receivers_, &receiver); }
    std::vector<torrent::Endpoint> local() const override { return listening; }
    std::string obstacle() const override { return hindrance; }

private:
    boost::asio::any_io_executor executor_;
    std::vector<Receiver*> receivers_;
};

}  // namespace rqfs::tests
