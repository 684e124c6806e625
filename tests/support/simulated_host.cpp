#include "tests/support/simulated_host.h"

#include "tests/support/simulated_network.h"
#include "torrent/event.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <string>
#include <utility>

namespace rqfs::tests {

namespace asio = boost::asio;
using namespace torrent;

namespace {

// What TCP lets be under way; 1.6 MB/s at a round trip of 160 ms.
constexpr std::size_t kStreamWindow = 256u << 10;

constexpr std::chrono::milliseconds kLanLatency{1};

[[noreturn]] void throw_unreachable(boost::system::error_code code, Endpoint const& to) {
    throw boost::system::system_error(code, "cannot connect to " + to.text());
}

}  // namespace

// Where streams come in at one endpoint; it is open from the first accept() on.
class SimulatedHost::Door final : public Acceptor {
public:
    Door(asio::any_io_executor const& executor, Endpoint const& at) : at_(at), came_(executor) {}

    asio::awaitable<std::unique_ptr<StreamSocket>> accept() override {
        open_ = !closed_;
        while (waiting_.empty() && !closed_) co_await came_.wait();
        if (closed_) throw boost::system::system_error(asio::error::operation_aborted);
        auto next = std::move(waiting_.front());
        waiting_.pop_front();
        co_return next;
    }
    void close() override {
        closed_ = true;
        open_ = false;
        waiting_.clear();
        came_.notify();
    }
    Endpoint local() const override { return at_; }

    bool open() const { return open_; }
    void enter(std::unique_ptr<StreamSocket> stream) {
        waiting_.push_back(std::move(stream));
        came_.notify();
    }

private:
    Endpoint at_;
    Event came_;
    std::deque<std::unique_ptr<StreamSocket>> waiting_;
    bool open_ = false;
    bool closed_ = false;
};

// The network it shares with others of its LAN.
class SimulatedHost::Lan final : public Multicast {
public:
    explicit Lan(SimulatedHost& host) : host_(host) {}

    void join(std::span<Endpoint const> groups, Receiver& receiver) override {
        groups_.assign(groups.begin(), groups.end());
        receiver_ = &receiver;
    }
    void leave() override { receiver_ = nullptr; }
    void send(Endpoint const& group, std::span<std::byte const> bytes) override {
        auto const from = host_.own_address(group.address.is_v6());
        if (receiver_ == nullptr || !from || host_.silent()) return;
        for (auto const& host : host_.network_.hosts_)
            if (host->lan_ && host->is_neighbour(host_))
                deliver_later(*host, {from->address, group.port}, group, bytes);
    }
    bool is_neighbour(Address const& address) const override {
        auto const* const host = host_.network_.find(address);
        return host != nullptr && host->is_neighbour(host_);
    }

private:
    void deliver_later(SimulatedHost const& host, Endpoint const& from, Endpoint const& group,
                       std::span<std::byte const> bytes) {
        auto& network = host_.network_;
        network.clock_.call_at(network.clock_.now() + kLanLatency,
                               [&network, to = host.endpoint().address, from, group,
                                copy = std::vector<std::byte>(bytes.begin(), bytes.end())] {
                                   auto const* const there = network.find(to);
                                   if (there == nullptr || there->silent()) return;
                                   auto const& lan = *there->lan_;
                                   if (lan.receiver_ && std::count(lan.groups_.begin(), lan.groups_.end(), group) > 0)
                                       lan.receiver_->multicast(from, copy);
                               });
    }

    SimulatedHost& host_;
    std::vector<Endpoint> groups_;
    Receiver* receiver_ = nullptr;
};

SimulatedHost::SimulatedHost(SimulatedNetwork& network, std::vector<Endpoint> at, SimulatedAccess const& access)
    : network_(network),
      at_(std::move(at)),
      access_(access),
      links_{std::make_shared<MemoryLink>(), std::make_shared<MemoryLink>()} {
    links_.up->bytes_per_second = access.up_bytes_per_second;
    links_.down->bytes_per_second = access.down_bytes_per_second;
    if (access.lan != 0) lan_ = std::make_unique<Lan>(*this);
    for (auto const& endpoint : at_) acceptors_.push_back(std::make_unique<Door>(network_.executor_, endpoint));
}

SimulatedHost::~SimulatedHost() = default;

void SimulatedHost::fall_silent(Duration time) {
    silent_until_ = network_.clock_.now() + time;
    for (auto const& link : {links_.up, links_.down}) link->free_at = std::max(link->free_at, silent_until_);
}

bool SimulatedHost::silent() const { return network_.clock_.now() < silent_until_; }

asio::awaitable<void> SimulatedHost::stop() {
    receiving_ = false;
    co_return;
}

asio::awaitable<std::unique_ptr<StreamSocket>> SimulatedHost::connect(Endpoint to, Duration limit) {
    auto from = own_address(to.address.is_v6());
    if (!from) throw_unreachable(asio::error::network_unreachable, to);
    from->port = next_port_++;
    auto const* const host = network_.find(to.address);
    auto const one_way = host == nullptr ? limit : latency_to(*host);
    if (host == nullptr || silent() || host->silent() || one_way * 2 > limit) {
        co_await network_.clock_.sleep(limit);
        throw_unreachable(asio::error::timed_out, to);
    }
    co_await network_.clock_.sleep(one_way);
    MemoryStreams streams;
    // It may have left meanwhile; then somebody at its router says so.
    if (auto* const there = network_.find(to.address); there != nullptr && there->door(to) != nullptr) {
        streams = streams_to(*there, *from, to);
        there->door(to)->enter(std::move(streams.second));
    }
    co_await network_.clock_.sleep(one_way);
    if (!streams.first) throw_unreachable(asio::error::connection_refused, to);
    co_return std::move(streams.first);
}

Multicast* SimulatedHost::multicast() { return lan_.get(); }

Duration SimulatedHost::latency_to(SimulatedHost const& host) const {
    return is_neighbour(host) ? kLanLatency : access_.latency + host.access_.latency;
}

MemoryStreams SimulatedHost::streams_to(SimulatedHost const& host, Endpoint const& from, Endpoint const& to) {
    MemoryStreamOptions options;
    options.buffered_bytes = kStreamWindow;
    options.latency = latency_to(host);
    if (!is_neighbour(host)) {
        options.first_links = links_;
        options.second_links = host.links_;
    }
    options.clock = &network_.clock_;
    options.first = from;
    options.second = to;
    return memory_streams(network_.executor_, options);
}

void SimulatedHost::send(Endpoint const& to, std::span<std::byte const> bytes) {
    if (auto const from = own_address(to.address.is_v6()); from && receiving_ && !silent())
        network_.carry(*from, access_, to, bytes);
}

void SimulatedHost::add(Receiver& receiver) { receivers_.push_back(&receiver); }

void SimulatedHost::remove(Receiver& receiver) {
    if (delivering_)
        std::replace(receivers_.begin(), receivers_.end(), &receiver, static_cast<Receiver*>(nullptr));
    else
        std::erase(receivers_, &receiver);
}

std::optional<Endpoint> SimulatedHost::own_address(bool v6) const {
    auto const found =
        std::find_if(at_.begin(), at_.end(), [v6](auto const& own) { return own.address.is_v6() == v6; });
    return found == at_.end() ? std::nullopt : std::optional(*found);
}

SimulatedHost::Door* SimulatedHost::door(Endpoint const& at) {
    for (auto const& acceptor : acceptors_) {
        auto* const own = static_cast<Door*>(acceptor.get());
        if (own->local() == at && own->open()) return own;
    }
    return nullptr;
}

void SimulatedHost::deliver(Endpoint const& from, Endpoint const& to, std::span<std::byte const> bytes) {
    if (!receiving_ || silent() || std::find(at_.begin(), at_.end(), to) == at_.end()) return;
    delivering_ = true;
    for (std::size_t i = 0; i < receivers_.size(); ++i)
        if (receivers_[i] != nullptr && receivers_[i]->datagram(from, bytes)) break;
    delivering_ = false;
    std::erase(receivers_, nullptr);
}

}  // namespace rqfs::tests
