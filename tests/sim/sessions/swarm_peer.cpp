#include "tests/sim/sessions/swarm_peer.h"

#include "torrent/event.h"
#include "torrent/metainfo/piece_layout.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

namespace rqfs::tests {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using torrent::Message;
using torrent::MessageId;

struct SwarmPeer::Connection {
    Connection(asio::any_io_executor const& executor, std::unique_ptr<torrent::StreamSocket> socket,
               torrent::Handshake const& ours)
        : peer(executor, std::move(socket), true, ours), asked(executor) {}

    FakePeer peer;
    std::deque<Message> queue;
    torrent::Event asked;
    bool choked = true;
};

SwarmPeer::SwarmPeer(asio::any_io_executor const& executor, torrent::Clock& clock, SimulatedHost& host,
                     MadeTorrent const& made, Options const& options)
    : executor_(executor), clock_(clock), host_(host), made_(made), options_(options), tasks_(executor, "swarm peer") {
    tasks_.spawn(accept());
}

SwarmPeer::~SwarmPeer() = default;

asio::awaitable<void> SwarmPeer::stop() {
    for (auto const& connection : connections_) co_await connection->peer.stop();
    co_await tasks_.stop();
}

asio::awaitable<void> SwarmPeer::accept() {
    for (;;) {
        auto socket = co_await host_.acceptors().front()->accept();
        torrent::Handshake ours;
        ours.info_hash = made_.metainfo->info_hash();
        ours.fast = options_.fast;
        auto const address = host_.endpoint().address.text();
        for (std::size_t i = 0; i < address.size(); ++i) ours.peer_id[i] = std::byte(address[i]);
        auto& connection = *connections_.emplace_back(std::make_unique<Connection>(executor_, std::move(socket), ours));
        greet(connection.peer);
        if (options_.unchokes) {
            connection.choked = false;
            connection.peer.say(MessageId::unchoke);
        }
        connection.peer.on_message([this, &connection](FakePeer&, auto const& message) { hear(connection, message); });
        tasks_.spawn(options_.manner == Manner::leaving ? leave(connection) : serve(connection));
    }
}

void SwarmPeer::greet(FakePeer& peer) const {
    if (options_.fast) {
        peer.say(MessageId::have_all);
        return;
    }
    auto const pieces = made_.metainfo->pieces().pieces();
    std::vector<std::byte> bits((pieces + 7) / 8, std::byte{0xff});
    if (pieces % 8 != 0) bits.back() <<= 8 - pieces % 8;
    std::vector<std::byte> message;
    torrent::append_bitfield(message, bits);
    peer.say(message);
}

void SwarmPeer::hear(Connection& connection, FakePeer::Heard const& heard) {
    ++heard_.messages;
    if (heard.is(MessageId::not_interested)) ++heard_.losses_of_interest;
    auto const same = [&](Message const& other) {
        return other.piece == heard.message.piece && other.begin == heard.message.begin;
    };
    if (heard.is(MessageId::interested) && std::exchange(connection.choked, false)) {
        connection.peer.say(MessageId::unchoke);
    } else if (heard.is(MessageId::request)) {
        ++heard_.requests;
        if (connection.choked) {
            if (options_.fast)
                connection.peer.say(MessageId::reject, heard.message.piece, heard.message.begin, heard.message.length);
            return;
        }
        connection.queue.push_back(heard.message);
        heard_.queue = std::max(heard_.queue, connection.queue.size());
        connection.asked.notify();
    } else if (heard.is(MessageId::cancel)) {
        ++heard_.cancels;
        auto const known = std::find_if(connection.queue.begin(), connection.queue.end(), same);
        if (known == connection.queue.end()) return;
        connection.queue.erase(known);
        if (options_.fast)
            connection.peer.say(MessageId::reject, heard.message.piece, heard.message.begin, heard.message.length);
    }
}

// When its handshake has arrived.
asio::awaitable<void> SwarmPeer::leave(Connection& connection) {
    co_await clock_.sleep(200ms);
    co_await connection.peer.stop();
}

asio::awaitable<void> SwarmPeer::serve(Connection& connection) {
    for (;;) {
        while (connection.queue.empty()) co_await connection.asked.wait();
        if (options_.manner == Manner::silent) {
            co_await connection.asked.wait();
            continue;
        }
        auto const request = connection.queue.front();
        connection.queue.pop_front();
        co_await answer(connection, request);
    }
}

asio::awaitable<void> SwarmPeer::answer(Connection& connection, Message request) {
    if (options_.manner == Manner::rejecting) {
        connection.peer.say(MessageId::reject, request.piece, request.begin, request.length);
        co_return;
    }
    if (options_.manner == Manner::trickling) {
        co_await trickle(connection, request);
        co_return;
    }
    std::chrono::duration<double> const takes(request.length / options_.bytes_per_second);
    co_await clock_.sleep(std::chrono::duration_cast<torrent::Duration>(takes));
    send_block(connection, request);
    if (options_.manner != Manner::choking) co_return;
    connection.choked = true;
    connection.peer.say(MessageId::choke);
    drop_requests(connection);
    co_await clock_.sleep(1s);
    connection.choked = false;
    connection.peer.say(MessageId::unchoke);
}

void SwarmPeer::drop_requests(Connection& connection) {
    for (auto const& request : std::exchange(connection.queue, {}))
        if (options_.fast) connection.peer.say(MessageId::reject, request.piece, request.begin, request.length);
}

asio::awaitable<void> SwarmPeer::trickle(Connection& connection, Message request) {
    auto const header = torrent::piece_header(torrent::PieceIndex(request.piece), request.begin, request.length);
    std::vector<std::byte> all(header.begin(), header.end());
    all.resize(all.size() + request.length);
    for (auto const byte : all) {
        connection.peer.say(std::span(&byte, 1));
        co_await clock_.sleep(1s);
    }
}

void SwarmPeer::send_block(Connection& connection, Message const& request) {
    auto const begin = std::size_t{request.piece} * made_.metainfo->pieces().piece_bytes() + request.begin;
    auto const block = std::span(made_.data).subspan(begin, request.length);
    auto const nth = sent_bytes_ / torrent::kBlockBytes;
    sent_bytes_ += block.size();
    bool const spoils =
        options_.manner == Manner::spoiling || (options_.manner == Manner::spoiling_some && nth % 8 == 7);
    if (!spoils) {
        connection.peer.say_block(request.piece, request.begin, block);
        return;
    }
    std::vector<std::byte> lies(block.begin(), block.end());
    for (auto& byte : lies) byte ^= std::byte{0x55};
    connection.peer.say_block(request.piece, request.begin, lies);
}

}  // namespace rqfs::tests
