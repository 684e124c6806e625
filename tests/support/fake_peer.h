#pragma once

#include "torrent/event.h"
#include "torrent/net/stream_socket.h"
#include "torrent/peer/handshake.h"
#include "torrent/peer/message.h"
#include "torrent/task_group.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace rqfs::tests {

// The other end of a connection as a script: says exactly what it is told, right or wrong, and keeps what it hears.
// Works over any StreamSocket, in memory or loopback TCP. stop() must be awaited before destruction.
class FakePeer {
public:
    // A message with its own copy of the bytes; a keep-alive has none.
    struct Heard {
        bool keep_alive = false;
        std::uint8_t id = 0;
        torrent::Message message;      // of known ids
        std::vector<std::byte> bytes;  // the message without its length prefix
        bool is(torrent::MessageId wanted) const { return !keep_alive && id == static_cast<std::uint8_t>(wanted); }
    };

    // With a handshake: hears one before messages, and sends `ours` at once when given.
    FakePeer(boost::asio::any_io_executor const& executor, std::unique_ptr<torrent::StreamSocket> socket,
             bool with_handshake = false, std::optional<torrent::Handshake> ours = std::nullopt);

    // Queued and written in order.
    void say(std::span<std::byte const> bytes);
    void say(std::vector<std::byte> const& bytes) { say(std::span<std::byte const>(bytes)); }
    void say(torrent::MessageId id);
    void say(torrent::MessageId id, std::uint32_t piece);
    void say(torrent::MessageId id, std::uint32_t piece, std::uint32_t begin, std::uint32_t length);
    void say_block(std::uint32_t piece, std::uint32_t begin, std::span<std::byte const> block);
    void say_extended(std::uint8_t id, std::span<std::byte const> payload);

    // Called with every message as it comes, instead of keeping it.
    void on_message(std::function<void(FakePeer&, Heard const&)> listener) { listener_ = std::move(listener); }
    // Everything heard since the last call.
    std::vector<Heard> heard();
    // Of these only the messages of one kind; the rest is dropped.
    std::vector<Heard> heard(torrent::MessageId id);
    std::optional<torrent::Handshake> const& handshake() const { return handshake_; }

    void pause_reading(bool pause);
    bool ended() const { return ended_; }  // the other side hung up
    void close() { socket_->close(); }
    boost::asio::awaitable<void> stop();

private:
    boost::asio::awaitable<void> read();
    boost::asio::awaitable<void> write();
    void take_messages();

    std::unique_ptr<torrent::StreamSocket> socket_;
    bool handshake_expected_;
    std::optional<torrent::Handshake> handshake_;
    std::vector<std::byte> outgoing_;
    std::vector<std::byte> incoming_;
    std::deque<Heard> heard_;
    std::function<void(FakePeer&, Heard const&)> listener_;
    bool paused_ = false;
    bool ended_ = false;
    torrent::Event outgoing_ready_;
    torrent::Event resumed_;
    torrent::TaskGroup tasks_;
};

}  // namespace rqfs::tests
