#include "torrent/peer/peer_connection_state.h"
#include "torrent/settings.h"
#include "torrent/swarm/rate_limiter.h"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cassert>
#include <exception>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kLeastQueuedBytes = 128u << 10;
constexpr double kQueuedSeconds = 0.5;          // LT watermark factor
constexpr std::size_t kReadBytes = 256u << 10;  // of one read from the store

// Bytes taken from a limiter for a block that may yet be cancelled.
class Reservation {
public:
    Reservation(RateLimiter* limiter, std::size_t bytes, Clock& clock)
        : limiter_(limiter), bytes_(bytes), clock_(clock) {
        if (limiter_ != nullptr) wait_ = limiter_->reserve(bytes_, clock_.now());
    }
    Reservation(Reservation const&) = delete;
    Reservation& operator=(Reservation const&) = delete;
    ~Reservation() {
        if (limiter_ != nullptr) limiter_->give_back(bytes_, clock_.now());
    }

    Duration wait() const { return wait_; }
    void used() { limiter_ = nullptr; }

private:
    RateLimiter* limiter_;
    std::size_t bytes_;
    Clock& clock_;
    Duration wait_{0};
};

}  // namespace

asio::awaitable<void> PeerConnection::State::upload_loop() {
    for (;;) {
        while (!may_upload()) co_await upload_possible.wait();
        auto const run = requests.start_reading(std::min(kReadBytes, wanted_in_queue() - out.block_bytes()));
        SharedBytes bytes;
        bool const read = co_await read_run(run, bytes);
        if (read) {
            co_await queue_run(run, bytes);
        } else {
            for (Request const& request : requests.take_run()) refuse(request);
        }
    }
}

asio::awaitable<bool> PeerConnection::State::read_run(IncomingRequests::Run run, SharedBytes& bytes) {
    bool aborted = false;
    try {
        bytes = co_await owner.read_for_peer(run.piece, run.range);
        assert(bytes.size() == run.range.size());
        co_return bytes.size() == run.range.size();
    } catch (boost::system::system_error const& e) {
        aborted = e.code() == asio::error::operation_aborted;
        if (!aborted && trace())
            options.logger->trace("not served peer={} piece={} reason=\"{}\"", remote_text(), run.piece.value(),
                                  sentence(e));
    }
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    if (aborted && cancellation.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
    co_return false;
}

// Each request of the run becomes a block to be written when the upload limit lets it, unless it was cancelled
// meanwhile.
asio::awaitable<void> PeerConnection::State::queue_run(IncomingRequests::Run run, SharedBytes bytes) {
    while (auto const request = requests.next_read()) {
        Reservation reservation(options.upload_limit, request->length, clock);
        if (reservation.wait() > Duration::zero()) co_await clock.sleep(reservation.wait());
        if (requests.next_read() != request) continue;
        reservation.used();
        requests.pop_read();
        out.add_block(*request,
                      bytes.slice(request->begin - static_cast<std::size_t>(run.range.begin), request->length));
        wake_writer();
    }
}

std::size_t PeerConnection::State::wanted_in_queue() const {
    auto const half_second = static_cast<std::size_t>(up.rate(clock.now()) * kQueuedSeconds);
    return std::clamp(half_second, kLeastQueuedBytes, limit::kSendBufferBytes);
}

// Not before half the queue has gone, so that reads are large.
bool PeerConnection::State::may_upload() const {
    return requests.any_waiting() && out.block_bytes() <= wanted_in_queue() / 2;
}

}  // namespace rqfs::torrent
