#include "torrent/peer/peer_connection_state.h"

#include <algorithm>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

// Blocks that one write may carry, so that a control message queued meanwhile waits some 15 ms and not for the whole
// queue.
constexpr double kWriteSeconds = 1.0 / 64;
constexpr std::size_t kLeastWriteBytes = 16u << 10;
constexpr std::size_t kMostWriteBytes = 256u << 10;

}  // namespace

asio::awaitable<void> PeerConnection::State::write_loop() {
    for (;;) {
        while (out.empty()) {
            writer_waits = true;
            co_await writer_work.wait();
        }
        auto const buffers = out.begin_write(most_block_bytes());
        writing = true;
        write_began = clock.now();
        co_await socket->write(buffers);
        writing = false;
        last_sent = clock.now();
        control_drained.notify();
        if (auto const bytes = out.end_write(); bytes > 0) {
            up.add(bytes, last_sent);
            last_useful = last_sent;
            upload_possible.notify();
        }
    }
}

std::size_t PeerConnection::State::most_block_bytes() const {
    return std::clamp(static_cast<std::size_t>(up.rate(clock.now()) * kWriteSeconds), kLeastWriteBytes,
                      kMostWriteBytes);
}

void PeerConnection::State::wake_writer() {
    if (!writer_waits) return;
    writer_waits = false;
    writer_work.notify();
}

void PeerConnection::State::say_first_messages() {
    auto& control = out.control();
    if (fast && options.have.none())
        append_message(control, MessageId::have_none);
    else if (fast && options.have.all())
        append_message(control, MessageId::have_all);
    else if (!options.have.none())
        append_bitfield(control, options.have.bytes());
    options.have = Bitfield();
    if (theirs.dht && options.dht_port != 0) append_port(control, options.dht_port);
    if (!theirs.extensions) return;
    if (!options.extensions.your_address) options.extensions.your_address = socket->remote().address;
    append_extended(control, 0, options.extensions.encode());
}

void PeerConnection::State::say_extended(std::uint8_t id, std::span<std::byte const> payload) {
    append_extended(out.control(), id, payload);
    wake_writer();
}

}  // namespace rqfs::torrent
