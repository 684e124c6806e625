#include "torrent/net/proxied_connector.h"

#include "torrent/error.h"
#include "torrent/net/proxy_handshake.h"
#include "torrent/timeout.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace rqfs::torrent {

namespace asio = boost::asio;
using boost::system::system_error;

namespace {

// A connection to the proxy that is now one to somebody else.
class Tunnel final : public StreamSocket {
public:
    Tunnel(std::unique_ptr<StreamSocket> stream, std::vector<std::byte> first, Endpoint const& remote)
        : stream_(std::move(stream)), first_(std::move(first)), remote_(remote) {}

    asio::awaitable<std::size_t> read_some(asio::mutable_buffer buffer) override {
        return taken_ < first_.size() ? read_first(buffer) : stream_->read_some(buffer);
    }
    asio::awaitable<void> write(std::span<asio::const_buffer const> buffers) override {
        return stream_->write(buffers);
    }
    void close() override { stream_->close(); }
    // Nobody is told where we are.
    Endpoint local() const override { return {}; }
    Endpoint remote() const override { return remote_; }

private:
    asio::awaitable<std::size_t> read_first(asio::mutable_buffer buffer) {
        auto const count = std::min(buffer.size(), first_.size() - taken_);
        std::memcpy(buffer.data(), first_.data() + taken_, count);
        taken_ += count;
        co_return count;
    }

    std::unique_ptr<StreamSocket> stream_;
    std::vector<std::byte> first_;  // came with the proxy's reply
    std::size_t taken_ = 0;
    Endpoint remote_;
};

}  // namespace

asio::awaitable<std::unique_ptr<StreamSocket>> ProxiedConnector::connect(Endpoint endpoint, Duration limit) {
    try {
        auto tunnelling = tunnel(endpoint, limit);
        co_return co_await with_timeout(clock_, std::move(tunnelling), limit, std::string());
    } catch (system_error const& e) {
        if (e.code() != make_error_code(Errc::timed_out)) throw;
    }
    auto const target = names_.target(endpoint);
    throw system_error(asio::error::timed_out, "cannot connect to " + (target ? target->text() : endpoint.text()) +
                                                   " through the proxy " + dialer_.proxy().place());
}

asio::awaitable<std::unique_ptr<StreamSocket>> ProxiedConnector::tunnel(Endpoint endpoint, Duration limit) {
    auto const target = names_.target(endpoint);
    if (!target)
        throw system_error(asio::error::host_not_found, "the name behind " + endpoint.text() + " was forgotten");
    // Sooner than the whole is given up, so that a dead proxy is not taken for a dead target. (Once it has let us in it
    // may be the target that keeps it waiting.)
    auto about = target->text();
    auto stream = co_await dialer_.dial(limit * 3 / 4, std::move(about));
    std::vector<std::byte> first;
    try {
        first = co_await proxy_connect(*stream, dialer_.proxy(), *target);
    } catch (system_error const& e) {
        if (e.code() != asio::error::operation_aborted) dialer_.heard(e.code(), sentence(e));
        throw;
    }
    dialer_.heard({}, {});
    co_return std::make_unique<Tunnel>(std::move(stream), std::move(first), endpoint);
}

}  // namespace rqfs::torrent
