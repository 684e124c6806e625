#include "tests/support/fake_peer.h"

#include <boost/asio/buffer.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <utility>

namespace rqfs::tests {

namespace asio = boost::asio;
using torrent::MessageId;

FakePeer::FakePeer(asio::any_io_executor const& executor, std::unique_ptr<torrent::StreamSocket> socket,
                   bool with_handshake, std::optional<torrent::Handshake> ours)
    : socket_(std::move(socket)),
      handshake_expected_(with_handshake),
      outgoing_ready_(executor),
      resumed_(executor),
      tasks_(executor, "fake peer") {
    if (ours) say(ours->encode());
    tasks_.spawn(read());
    tasks_.spawn(write());
}

void FakePeer::say(std::span<std::byte const> bytes) {
    outgoing_.insert(outgoing_.end(), bytes.begin(), bytes.end());
    outgoing_ready_.notify();
}

void FakePeer::say(MessageId id) {
    torrent::append_message(outgoing_, id);
    outgoing_ready_.notify();
}

void FakePeer::say(MessageId id, std::uint32_t piece) {
    torrent::append_message(outgoing_, id, torrent::PieceIndex(piece));
    outgoing_ready_.notify();
}

void FakePeer::say(MessageId id, std::uint32_t piece, std::uint32_t begin, std::uint32_t length) {
    torrent::append_message(outgoing_, id, torrent::PieceIndex(piece), begin, length);
    outgoing_ready_.notify();
}

void FakePeer::say_block(std::uint32_t piece, std::uint32_t begin, std::span<std::byte const> block) {
    say(torrent::piece_header(torrent::PieceIndex(piece), begin, static_cast<std::uint32_t>(block.size())));
    say(block);
}

void FakePeer::say_extended(std::uint8_t id, std::span<std::byte const> payload) {
    torrent::append_extended(outgoing_, id, payload);
    outgoing_ready_.notify();
}

std::vector<FakePeer::Heard> FakePeer::heard() {
    std::vector<Heard> all(std::make_move_iterator(heard_.begin()), std::make_move_iterator(heard_.end()));
    heard_.clear();
    return all;
}

std::vector<FakePeer::Heard> FakePeer::heard(MessageId id) {
    auto all = heard();
    std::erase_if(all, [&](Heard const& h) { return !h.is(id); });
    return all;
}

void FakePeer::pause_reading(bool pause) {
    paused_ = pause;
    resumed_.notify();
}

asio::awaitable<void> FakePeer::stop() {
    socket_->close();
    co_await tasks_.stop();
}

asio::awaitable<void> FakePeer::read() {
    std::vector<std::byte> part(64u << 10);
    try {
        for (;;) {
            while (paused_) co_await resumed_.wait();
            asio::mutable_buffer const target(part.data(), part.size());
            auto const bytes = co_await socket_->read_some(target);
            incoming_.insert(incoming_.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(bytes));
            take_messages();
        }
    } catch (boost::system::system_error const&) {
        ended_ = true;
    }
}

asio::awaitable<void> FakePeer::write() {
    std::vector<std::byte> now;
    try {
        for (;;) {
            while (outgoing_.empty()) co_await outgoing_ready_.wait();
            now.clear();
            std::swap(now, outgoing_);
            std::array<asio::const_buffer, 1> const buffers{asio::buffer(now)};
            co_await socket_->write(buffers);
        }
    } catch (boost::system::system_error const&) {
        ended_ = true;
    }
}

void FakePeer::take_messages() {
    std::size_t used = 0;
    std::span<std::byte const> const all(incoming_);
    if (handshake_expected_ && !handshake_) {
        if (all.size() < torrent::Handshake::kBytes) return;
        handshake_ = torrent::Handshake::parse(all.first<torrent::Handshake::kBytes>()).value();
        used = torrent::Handshake::kBytes;
    }
    for (;;) {
        auto const left = all.subspan(used);
        if (left.size() < torrent::kLengthPrefixBytes) break;
        auto const length = torrent::read_be32(left);
        if (left.size() < torrent::kLengthPrefixBytes + length) break;
        auto const body = left.subspan(torrent::kLengthPrefixBytes, length);
        used += torrent::kLengthPrefixBytes + length;
        Heard heard;
        heard.keep_alive = length == 0;
        heard.bytes.assign(body.begin(), body.end());
        if (length > 0) heard.id = std::to_integer<std::uint8_t>(body[0]);
        if (length > 0 && torrent::known(heard.id)) heard.message = torrent::parse_message(heard.bytes).value();
        if (listener_)
            listener_(*this, heard);
        else
            heard_.push_back(std::move(heard));
    }
    incoming_.erase(incoming_.begin(), incoming_.begin() + static_cast<std::ptrdiff_t>(used));
}

}  // namespace rqfs::tests
