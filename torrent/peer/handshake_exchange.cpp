#include "torrent/peer/handshake_exchange.h"

#include "torrent/error.h"
#include "torrent/settings.h"
#include "torrent/timeout.h"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kBeforePeerId = 48;  // protocol, reserved bits and info-hash
constexpr std::size_t kProtocolBytes = 20;

using Bytes = std::array<std::byte, Handshake::kBytes>;

asio::awaitable<void> read_exactly(StreamSocket& socket, std::span<std::byte> room) {
    while (!room.empty()) {
        asio::mutable_buffer const target(room.data(), room.size());
        auto const bytes = co_await socket.read_some(target);
        room = room.subspan(bytes);
    }
}

asio::awaitable<void> send(StreamSocket& socket, Handshake handshake) {
    auto const bytes = handshake.encode();
    std::array<asio::const_buffer, 1> const buffers{asio::buffer(bytes)};
    co_await socket.write(buffers);
}

// Reads up to the peer id, which is zero in the result.
asio::awaitable<Handshake> read_info_hash(StreamSocket& socket, Bytes& bytes) {
    // Whoever speaks another protocol is left at the first bytes: it may never send 68.
    co_await read_exactly(socket, std::span(bytes).first(kProtocolBytes));
    auto const protocol = Handshake{}.encode();
    if (!std::equal(bytes.begin(), bytes.begin() + kProtocolBytes, protocol.begin()))
        throw_error(Errc::malformed, "no BitTorrent handshake");
    co_await read_exactly(socket, std::span(bytes).first(kBeforePeerId).subspan(kProtocolBytes));
    auto const parsed = Handshake::parse(bytes);
    if (!parsed) throw_error(parsed.error());
    co_return *parsed;
}

asio::awaitable<Handshake> read_peer_id(StreamSocket& socket, Bytes& bytes, PeerId ours) {
    co_await read_exactly(socket, std::span(bytes).subspan(kBeforePeerId));
    auto const parsed = Handshake::parse(bytes);
    if (!parsed) throw_error(parsed.error());
    if (parsed->peer_id == ours) throw_error(Errc::not_allowed, "a connection to ourselves");
    co_return *parsed;
}

asio::awaitable<Handshake> outgoing(StreamSocket& socket, Handshake ours) {
    co_await send(socket, ours);
    Bytes bytes{};
    auto const begun = co_await read_info_hash(socket, bytes);
    if (begun.info_hash != ours.info_hash) throw_error(Errc::not_found, "the peer answers for another torrent");
    co_return co_await read_peer_id(socket, bytes, ours.peer_id);
}

asio::awaitable<Handshake> incoming(StreamSocket& socket, FindTorrent find) {
    Bytes bytes{};
    auto const begun = co_await read_info_hash(socket, bytes);
    auto const ours = find(begun.info_hash);
    if (!ours) throw_error(Errc::not_found, "no such torrent: " + begun.info_hash.hex());
    co_await send(socket, *ours);
    co_return co_await read_peer_id(socket, bytes, ours->peer_id);
}

}  // namespace

asio::awaitable<Handshake> shake_hands_outgoing(Clock& clock, StreamSocket& socket, Handshake ours) {
    return with_timeout(clock, outgoing(socket, ours), limit::kHandshakeTimeout, "no handshake in time");
}

asio::awaitable<Handshake> shake_hands_incoming(Clock& clock, StreamSocket& socket, FindTorrent find) {
    return with_timeout(clock, incoming(socket, std::move(find)), limit::kHandshakeTimeout, "no handshake in time");
}

}  // namespace rqfs::torrent
