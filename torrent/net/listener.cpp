#include "torrent/net/listener.h"

#include "torrent/address_network.h"
#include "torrent/log.h"
#include "torrent/net/address_policy.h"

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

// After an error that the next accept would meet again at once (no descriptors, no memory): descriptors come back as
// peers leave.
constexpr std::chrono::seconds kPauseAfterError{1};

}  // namespace

// The handshakes under way by their numbers, which is by age.
struct Listener::Pending::Places {
    struct Place {
        Address network;
        StreamSocket* socket;  // lives as long as its Pending
    };

    std::uint64_t take(Address const& network, StreamSocket& socket) {
        places.emplace(next, Place{network, &socket});
        return next++;
    }
    std::size_t of(Address const& network) const {
        auto const has = [&](auto const& each) { return each.second.network == network; };
        return static_cast<std::size_t>(std::count_if(places.begin(), places.end(), has));
    }
    // The oldest of the network that has most, with the one that comes. There are few places: counting them anew costs
    // less than keeping count.
    void close_one_for(Address const& guest) {
        auto most = places.begin();
        std::size_t count = 0;
        for (auto place = places.begin(); place != places.end(); ++place) {
            auto const& network = place->second.network;
            auto const has = of(network) + (network == guest ? 1 : 0);
            if (has > count) most = place;
            count = std::max(count, has);
        }
        auto& socket = *most->second.socket;
        log().debug("connection left for another that knocks peer={}", socket.remote().text());
        places.erase(most);
        socket.close();
    }

    std::map<std::uint64_t, Place> places;
    std::uint64_t next = 0;
};

Listener::Pending& Listener::Pending::operator=(Pending&& other) noexcept {
    if (this != &other) {
        release();
        places_ = std::move(other.places_);
        number_ = other.number_;
    }
    return *this;
}

void Listener::Pending::release() {
    if (!places_) return;
    places_->places.erase(number_);  // unless it was closed for another
    places_.reset();
}

Listener::Listener(asio::any_io_executor const& executor, Clock& clock,
                   std::span<std::unique_ptr<Acceptor> const> acceptors, Owner& owner)
    : Listener(executor, clock, acceptors, owner, Caps()) {}

Listener::Listener(asio::any_io_executor const& executor, Clock& clock,
                   std::span<std::unique_ptr<Acceptor> const> acceptors, Owner& owner, Caps caps)
    : clock_(clock),
      acceptors_(acceptors),
      owner_(owner),
      caps_(caps),
      places_(std::make_shared<Pending::Places>()),
      tasks_(executor, "listener") {
    for (auto const& acceptor : acceptors_) local_.push_back(acceptor->local());
}

PerFamily<std::uint16_t> Listener::ports() const {
    PerFamily<std::uint16_t> ports{};
    for (bool const loopback : {false, true})
        for (auto const& local : local_) {
            auto& port = ports[local.address.is_v6()];
            if (port == 0 && is_loopback(local.address) == loopback) port = local.port;
        }
    return ports;
}

void Listener::start() {
    for (auto const& acceptor : acceptors_) tasks_.spawn(accept(*acceptor));
}

asio::awaitable<void> Listener::stop() {
    for (auto const& acceptor : acceptors_) acceptor->close();
    co_await tasks_.stop();
}

asio::awaitable<void> Listener::accept(Acceptor& acceptor) {
    for (;;) {
        boost::system::error_code code;
        std::unique_ptr<StreamSocket> socket;
        try {
            socket = co_await acceptor.accept();
        } catch (boost::system::system_error const& e) {
            code = e.code();
        }
        if (!code) {
            take(std::move(socket));
        } else if (code == asio::error::operation_aborted) {
            co_return;
        } else if (code != asio::error::connection_aborted) {
            log().debug("accepting pauses error={}", code.message());
            co_await clock_.sleep(kPauseAfterError);
        }
    }
}

void Listener::take(std::unique_ptr<StreamSocket> socket) {
    auto const remote = socket->remote();
    if (remote.port == 0) return;  // gone already
    auto const network = household_of(remote.address);
    if (places_->of(network) >= caps_.pending_per_address) {
        log().debug("connection refused peer={} reason=too many handshakes under way", remote.text());
        return;
    }
    if (places_->places.size() >= caps_.pending) places_->close_one_for(network);
    auto const number = places_->take(network, *socket);
    owner_.incoming(std::move(socket), Pending(places_, number));
}

}  // namespace rqfs::torrent
