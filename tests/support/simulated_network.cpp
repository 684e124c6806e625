#include "tests/support/simulated_network.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <stdexcept>
#include <utility>

namespace rqfs::tests {

namespace asio = boost::asio;
using namespace torrent;

SimulatedNetwork::SimulatedNetwork(asio::any_io_executor executor, VirtualClock& clock, std::uint32_t seed)
    : executor_(std::move(executor)), clock_(clock), random_(seed) {}

SimulatedNetwork::~SimulatedNetwork() = default;

SimulatedHost& SimulatedNetwork::add(std::vector<Endpoint> at, SimulatedAccess const& access) {
    for (auto const& endpoint : at)
        if (find(endpoint.address) != nullptr) throw std::logic_error(endpoint.address.text() + " is taken");
    auto& host = *hosts_.emplace_back(std::make_unique<SimulatedHost>(*this, std::move(at), access));
    for (auto const& endpoint : host.at_) at_[endpoint.address] = &host;
    return host;
}

void SimulatedNetwork::remove(SimulatedHost& host) {
    for (auto const& endpoint : host.at_) at_.erase(endpoint.address);
    std::erase_if(hosts_, [&](auto const& own) { return own.get() == &host; });
}

asio::awaitable<std::vector<Address>> SimulatedNetwork::resolve(std::string host) {
    if (auto const literal = Address::parse(host)) co_return std::vector<Address>(1, *literal);
    auto const found = names_.find(host);
    if (found == names_.end()) throw boost::system::system_error(asio::error::host_not_found, host);
    co_return found->second;
}

SimulatedHost* SimulatedNetwork::find(Address const& address) const {
    auto const found = at_.find(address);
    return found == at_.end() ? nullptr : found->second;
}

void SimulatedNetwork::carry(Endpoint const& from, SimulatedAccess const& access, Endpoint const& to,
                             std::span<std::byte const> bytes) {
    ++datagrams_;
    auto const* const host = find(to.address);
    if (host == nullptr) return;
    if (access.datagrams_lost > 0 && std::generate_canonical<double, 32>(random_) < access.datagrams_lost) return;
    clock_.call_at(clock_.now() + access.latency + host->access_.latency,
                   [this, from, to, copy = std::vector<std::byte>(bytes.begin(), bytes.end())] {
                       if (auto* const there = find(to.address)) there->deliver(from, to, copy);
                   });
}

}  // namespace rqfs::tests
