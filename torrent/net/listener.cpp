#include "torrent/net/listener.h"

#include "torrent/log.h"

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <unordered_map>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

// After an error that the next accept would meet again at once (no descriptors, no memory): descriptors come back as
// peers leave.
constexpr std::chrono::seconds kPauseAfterError{1};

bool is_loopback(Address const& address) {
    static Address const kV6 = Address::parse("::1").value();
    return address.is_v6() ? address == kV6 : address.bytes()[0] == 127;
}

}  // namespace

struct Listener::Pending::Counts {
    std::unordered_map<Address, std::size_t> per_address;
    std::size_t all = 0;
};

Listener::Pending::Pending(std::shared_ptr<Counts> counts, Address const& address)
    : counts_(std::move(counts)), address_(address) {
    ++counts_->all;
    ++counts_->per_address[address_];
}

Listener::Pending& Listener::Pending::operator=(Pending&& other) noexcept {
    if (this != &other) {
        release();
        counts_ = std::move(other.counts_);
        address_ = other.address_;
    }
    return *this;
}

void Listener::Pending::release() {
    if (!counts_) return;
    --counts_->all;
    auto const place = counts_->per_address.find(address_);
    if (--place->second == 0) counts_->per_address.erase(place);
    counts_.reset();
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
      counts_(std::make_shared<Pending::Counts>()),
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
    auto const address = socket->remote().address;
    auto const known = counts_->per_address.find(address);
    auto const from_here = known == counts_->per_address.end() ? 0 : known->second;
    if (socket->remote().port == 0) return;  // gone already
    if (counts_->all >= caps_.pending || from_here >= caps_.pending_per_address) {
        log().debug("connection refused peer={} reason=too many handshakes under way", socket->remote().text());
        return;
    }
    owner_.incoming(std::move(socket), Pending(counts_, address));
}

}  // namespace rqfs::torrent
