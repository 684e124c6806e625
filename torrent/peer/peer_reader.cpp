#include "torrent/peer/peer_connection_state.h"
#include "torrent/settings.h"
#include "torrent/swarm/rate_limiter.h"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <chrono>
#include <optional>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

// What we owe a peer as answers; a peer that does not read them is not read either.
constexpr std::size_t kControlBacklogBytes = 128u << 10;

// Who found nothing left of the limit wakes so much before who has just read, and the sooner the oftener: else the same
// connection would be the first of those that wait every time.
constexpr std::chrono::microseconds kTurn{200};

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
    for (int looks = 1; !closing && options.download_limit->available(clock.now()) == 0; ++looks) {
        reading_paused = true;
        auto const pause = options.download_limit->delay(clock.now()) + kTurn / looks;
        co_await clock.sleep(pause);
    }
    if (reading_paused) last_byte = last_message = clock.now();
    reading_paused = false;
}

void PeerConnection::State::handle_messages() {
    now = clock.now();
    while (!closing && out.control_bytes() <= kControlBacklogBytes && handle_one()) {
    }
}

bool PeerConnection::State::handle_one() {
    if (skip_bytes > 0) return skip();
    auto const unread = buffer.unread();
    if (unread.size() < kLengthPrefixBytes) return false;
    if (!message_began) message_began = now;
    auto const length = read_be32(unread);
    if (length == 0) {  // keep-alive
        last_message = now;
        buffer.consume(kLengthPrefixBytes);
        message_began.reset();
        return true;
    }
    auto const fits = check_beginning(length, unread.subspan(kLengthPrefixBytes));
    if (fits == Beginning::incomplete) return false;
    if (fits == Beginning::not_understood) {
        skip_bytes = kLengthPrefixBytes + std::uint64_t{length};
        message_began.reset();
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
    message_began.reset();
    return true;
}

// Lengths are checked as soon as the id is there: nobody makes us wait for, or keep, what is wrong already.
PeerConnection::State::Beginning PeerConnection::State::check_beginning(std::uint32_t length,
                                                                        std::span<std::byte const> body) {
    if (body.empty()) return Beginning::incomplete;
    auto const id = std::to_integer<std::uint8_t>(body[0]);
    auto const pieces_known = options.layout ? std::optional(options.layout->pieces()) : std::nullopt;
    auto fits = check_length(length, id, pieces_known);
    bool understood = known(id);
    if (fits && id == static_cast<std::uint8_t>(MessageId::extended)) {
        if (body.size() < 2) return Beginning::incomplete;
        auto const extended_id = std::to_integer<std::uint8_t>(body[1]);
        understood = extended_id <= kOurHolepunchId;
        if (understood) fits = check_extended_length(length, extended_id);
    }
    if (!fits) {
        close(fits.error().what);
        return Beginning::incomplete;
    }
    return understood ? Beginning::good : Beginning::not_understood;
}

bool PeerConnection::State::skip() {
    auto const skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_bytes, buffer.unread().size()));
    buffer.consume(skipped);
    skip_bytes -= skipped;
    if (skip_bytes > 0) return false;
    last_message = now;
    return true;
}

}  // namespace rqfs::torrent
