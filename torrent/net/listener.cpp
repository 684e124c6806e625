#include "torrent/net/listener.h"

#include "torrent/log.h"
#include "torrent/net/endpoint_conversion.h"
#include "torrent/net/tcp_socket.h"

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <unordered_map>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

// After an error that the next accept would meet again at once (no descriptors, no memory): descriptors come back as
// peers leave.
constexpr std::chrono::seconds kPauseAfterError{1};

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

Listener::Listener(asio::any_io_executor const& executor, Clock& clock, std::vector<asio::ip::tcp::acceptor> acceptors,
                   Owner& owner)
    : Listener(executor, clock, std::move(acceptors), owner, Caps()) {}

Listener::Listener(asio::any_io_executor const& executor, Clock& clock, std::vector<asio::ip::tcp::acceptor> acceptors,
                   Owner& owner, Caps caps)
    : clock_(clock),
      acceptors_(std::move(acceptors)),
      owner_(owner),
      caps_(caps),
      counts_(std::make_shared<Pending::Counts>()),
      tasks_(executor, "listener") {
    for (auto const& acceptor : acceptors_) {
        boost::system::error_code ignored;
        local_.push_back(from_asio(acceptor.local_endpoint(ignored)));
    }
}

void Listener::start() {
    for (auto& acceptor : acceptors_) tasks_.spawn(accept(acceptor));
}

asio::awaitable<void> Listener::stop() {
    for (auto& acceptor : acceptors_) {
        boost::system::error_code ignored;
        acceptor.close(ignored);
    }
    co_await tasks_.stop();
}

asio::awaitable<void> Listener::accept(asio::ip::tcp::acceptor& acceptor) {
    while (acceptor.is_open()) {
        boost::system::error_code code;
        auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, code));
        if (!code) {
            take(std::move(socket));
        } else if (code == asio::error::operation_aborted || code == asio::error::bad_descriptor) {
            co_return;
        } else if (code != asio::error::connection_aborted) {
            log().debug("accepting pauses error={}", code.message());
            co_await clock_.sleep(kPauseAfterError);
        }
    }
}

void Listener::take(asio::ip::tcp::socket socket) {
    auto stream = std::make_unique<TcpSocket>(std::move(socket));
    auto const address = stream->remote().address;
    auto const known = counts_->per_address.find(address);
    auto const from_here = known == counts_->per_address.end() ? 0 : known->second;
    if (stream->remote().port == 0) return;  // gone already
    if (counts_->all >= caps_.pending || from_here >= caps_.pending_per_address) {
        log().debug("connection refused peer={} reason=too many handshakes under way", stream->remote().text());
        return;
    }
    owner_.incoming(std::move(stream), Pending(counts_, address));
}

}  // namespace rqfs::torrent
