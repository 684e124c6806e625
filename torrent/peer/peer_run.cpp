#include "torrent/peer/peer_connection_state.h"
#include "torrent/settings.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <string>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds kWatchInterval{5};  // the grain of timeouts that are counted in half minutes
constexpr std::chrono::seconds kIdleBuffer{5};     // a peer silent this long gives its receive buffer back

}  // namespace

asio::awaitable<void> PeerConnection::State::run() {
    auto group =
        asio::experimental::make_parallel_group(asio::co_spawn(executor, guard(read_loop()), asio::deferred),
                                                asio::co_spawn(executor, guard(write_loop()), asio::deferred),
                                                asio::co_spawn(executor, guard(upload_loop()), asio::deferred),
                                                asio::co_spawn(executor, guard(watch()), asio::deferred),
                                                asio::co_spawn(executor, guard(wait_until_closed()), asio::deferred));
    auto wait = group.async_wait(asio::experimental::wait_for_one(), asio::deferred);
    co_await std::move(wait)(asio::use_awaitable);
    socket->close();
    if (closing) co_return;
    close("stopped");
    throw boost::system::system_error(asio::error::operation_aborted);
}

// A loop that fails says why the connection ends. An aborted one was ended by close() or by whoever stops run().
asio::awaitable<void> PeerConnection::State::guard(asio::awaitable<void> loop) {
    try {
        co_await std::move(loop);
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::eof)
            close("closed by the peer");
        else if (e.code() != asio::error::operation_aborted)
            close(sentence(e));
    } catch (std::exception const& e) {
        close(std::string("internal error: ") + e.what());
    }
}

asio::awaitable<void> PeerConnection::State::wait_until_closed() {
    while (!closing) co_await closed.wait();
}

asio::awaitable<void> PeerConnection::State::watch() {
    while (!closing) {
        co_await clock.sleep(kWatchInterval);
        check_times(clock.now());
    }
}

void PeerConnection::State::check_times(TimePoint at) {
    if (writing && at - write_began >= limit::kPeerSilence) return close("does not read what we send");
    if (!reading_paused) {
        if (at - last_message >= limit::kPeerSilence) return close("silent for too long");
        if (!buffer.unread().empty() && at - last_byte >= limit::kMidMessageStall)
            return close("stalled in the middle of a message");
    }
    if (buffer.uses_more_than_a_page() && buffer.unread().empty() && at - last_byte >= kIdleBuffer)
        buffer.give_back_pages();
    if (!writing && out.empty() && at - last_sent >= limit::kKeepAlive) {
        append_keep_alive(out.control());
        wake_writer();
    }
}

void PeerConnection::State::close(std::string why) {
    if (closing) return;
    closing = true;
    reason = std::move(why);
    socket->close();
    closed.notify();
}

}  // namespace rqfs::torrent
