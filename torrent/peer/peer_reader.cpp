#include "torrent/peer/peer_connection_state.h"
#include "torrent/settings.h"
#include "torrent/swarm/rate_limiter.h"

#include <boost/asio/buffer.hpp>

#include <algorithm>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

// What we owe a peer as answers; a peer that does not read them is not read either.
constexpr std::size_t kControlBacklogBytes = 128u << 10;

}  // namespace

asio::awaitable<void> PeerConnection::State::read_loop() {
    while (!closing) {
        if (out.control_bytes() > kControlBacklogBytes) {
            reading_paused = true;
            co_await control_drained.wait();
            reading_paused = false;
            last_byte = last_message = clock.now();
        } else {
            auto* const limiter = options.download_limit;
            bool const limited = limiter != nullptr && !limiter->unlimited();
            if (limited) co_await wait_for_download_limit();
            if (closing) co_return;
            auto room = buffer.free_space();
            if (limited) room = room.first(std::clamp<std::size_t>(limiter->available(clock.now()), 1, room.size()));
            asio::mutable_buffer const target(room.data(), room.size());
            auto const bytes = co_await socket->read_some(target);
            now = last_byte = clock.now();
            buffer.received(bytes);
            if (limiter != nullptr) limiter->take(bytes, now);
        }
        handle_messages();
        if (!closing) owner.peer_batch_ended(self);
    }
}

// The peer is paused by not reading from it: its own TCP slows it down, and nothing is thrown away.
asio::awaitable<void> PeerConnection::State::wait_for_download_limit() {
    while (!closing && options.download_limit->available(clock.now()) == 0) {
        reading_paused = true;
        co_await clock.sleep(options.download_limit->delay(clock.now()));
    }
    if (reading_paused) last_byte = last_message = clock.now();
    reading_paused = false;
}

void PeerConnection::State::handle_messages() {
    now = clock.now();
    while (!closing && out.control_bytes() <= kControlBacklogBytes && handle_one()) {}
}

bool PeerConnection::State::handle_one() {
    auto const unread = buffer.unread();
    if (skip_bytes > 0) {
        auto const skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_bytes, unread.size()));
        buffer.consume(skipped);
        skip_bytes -= skipped;
        if (skip_bytes == 0) last_message = now;
        return skip_bytes == 0 && skipped > 0;
    }
    if (unread.size() < kLengthPrefixBytes) return false;
    auto const length = read_be32(unread);
    if (length == 0) {  // keep-alive
        last_message = now;
        buffer.consume(kLengthPrefixBytes);
        return true;
    }
    if (unread.size() == kLengthPrefixBytes) return false;

    auto const id = std::to_integer<std::uint8_t>(unread[kLengthPrefixBytes]);
    auto const pieces_known = options.layout ? std::optional(options.layout->pieces()) : std::nullopt;
    if (auto const fits = check_length(length, id, pieces_known); !fits) {
        close(fits.error().what);
        return false;
    }
    bool understood = known(id);
    if (id == static_cast<std::uint8_t>(MessageId::extended)) {
        if (unread.size() < kLengthPrefixBytes + 2) return false;
        auto const extended_id = std::to_integer<std::uint8_t>(unread[kLengthPrefixBytes + 1]);
        understood = extended_id == 0 || extended_id == kOurMetadataId || extended_id == kOurDontHaveId;
        if (auto const fits = check_extended_length(length, extended_id); understood && !fits) {
            close(fits.error().what);
            return false;
        }
    }
    if (!understood) {
        skip_bytes = kLengthPrefixBytes + std::uint64_t{length};
        return true;
    }
    auto const whole = kLengthPrefixBytes + std::size_t{length};
    if (unread.size() < whole) return false;

    last_message = now;
    auto const message = parse_message(unread.subspan(kLengthPrefixBytes, length));
    if (!message) {
        close(message.error().what);
        return false;
    }
    handle(*message);
    buffer.consume(whole);
    return true;
}

}  // namespace rqfs::torrent
