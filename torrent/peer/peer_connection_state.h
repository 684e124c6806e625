#pragma once

#include "torrent/event.h"
#include "torrent/peer/incoming_requests.h"
#include "torrent/peer/message.h"
#include "torrent/peer/outgoing_queue.h"
#include "torrent/peer/peer_connection.h"
#include "torrent/peer/receive_buffer.h"
#include "torrent/peer/their_pieces.h"
#include "torrent/swarm/rate_meter.h"

#include <spdlog/logger.h>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

namespace rqfs::torrent {

// The inside of PeerConnection, shared by the sources that implement its sides: reader, messages, requests, uploader,
// writer, watch.
struct PeerConnection::State {
    State(PeerConnection& connection, boost::asio::any_io_executor const& executor, Clock& its_clock,
          std::unique_ptr<StreamSocket> its_socket, Handshake const& handshake, Options its_options, Owner& its_owner);

    // peer_run.cpp: the loops side by side; the first that ends ends them all.
    boost::asio::awaitable<void> run();
    boost::asio::awaitable<void> guard(boost::asio::awaitable<void> loop);
    boost::asio::awaitable<void> wait_until_closed();
    boost::asio::awaitable<void> watch();  // keep-alives and timeouts
    void check_times(TimePoint now);
    void close(std::string why);

    // peer_reader.cpp: bytes to messages.
    boost::asio::awaitable<void> read_loop();
    boost::asio::awaitable<void> wait_for_download_limit();
    void handle_messages();
    bool handle_one();  // false: the next message is not whole, or closing
    enum class Beginning { good, not_understood, incomplete };
    Beginning check_beginning(std::uint32_t length, std::span<std::byte const> body);
    bool skip();

    // peer_messages.cpp: what each message means.
    void handle(Message const& message);
    void on_first_pieces(Message const& message);
    void on_later_bitfield(Message const& message);
    void on_have(Message const& message);
    void on_piece(Message const& message);
    void on_reject(Message const& message);
    void on_choke(bool choked);
    void on_interested(bool interested);
    void on_hint(Message const& message);  // suggest, allowed fast
    void on_port(Message const& message);
    void on_extended(Message const& message);
    void on_dont_have(std::span<std::byte const> payload);
    void on_peer_exchange(std::span<std::byte const> payload);
    void on_holepunch(std::span<std::byte const> payload);
    void first_pieces_known();

    // peer_requests.cpp: what they ask of us; every request is answered once.
    void on_request(Message const& message);
    void on_cancel(Request const& request);
    void refuse(Request const& request);
    void refuse_if(std::function<bool(Request const&)> const& condition);
    bool acceptable(Request const& request);

    // peer_uploader.cpp: reads what they asked for and queues it for the writer.
    boost::asio::awaitable<void> upload_loop();
    boost::asio::awaitable<bool> read_run(IncomingRequests::Run run, SharedBytes& bytes);
    boost::asio::awaitable<void> queue_run(IncomingRequests::Run run, SharedBytes bytes);
    std::size_t wanted_in_queue() const;
    bool may_upload() const;

    // peer_writer.cpp
    boost::asio::awaitable<void> write_loop();
    std::size_t most_block_bytes() const;
    void wake_writer();
    void say_first_messages();
    void say_extended(std::uint8_t id, std::span<std::byte const> payload);

    bool trace() const { return options.logger->should_log(spdlog::level::trace); }
    std::string remote_text() const { return socket->remote().text(); }

    // What it was made with. Strings of reasons are for people: the log and `rqfsctl peers`.
    PeerConnection& self;
    Owner& owner;
    boost::asio::any_io_executor executor;
    Clock& clock;
    std::unique_ptr<StreamSocket> socket;
    Handshake theirs;
    Options options;
    bool fast;

    // The end.
    std::string reason;
    bool closing = false;
    Event closed;

    // Reading.
    ReceiveBuffer buffer;
    std::uint64_t skip_bytes = 0;  // of a message nobody understands
    bool reading_paused = false;   // by a limit of ours: their silence proves nothing
    Event control_drained;
    TimePoint now;  // of the receive being handled
    std::optional<TimePoint> message_began;  // when the first bytes of the message came that is being received
    TimePoint last_byte;
    TimePoint last_message;

    // Their side.
    TheirPieces pieces;
    bool port_said = false;
    bool pieces_said = false;  // a bitfield (or its BEP 6 kin) may no longer come
    bool choking_us = true;
    bool interested_in_us = false;
    ExtensionHandshake extensions;
    std::vector<std::uint32_t> early_allowed_fast;  // before the layout is known
    std::uint32_t rejects_in_a_row = 0;
    std::uint32_t cancels_unanswered = 0;  // rejects that answer our own cancels are no offence
    IncomingRequests requests;
    Event upload_possible;
    std::uint32_t choked_requests = 0;
    std::uint64_t blocks_asked = 0, blocks_received = 0;

    // Our side.
    bool choking_them = true;
    TimePoint choked_them_at{};  // requests under way at that moment are no offence
    bool interested = false;
    std::unordered_set<PieceIndex> allowed_fast;
    OutgoingQueue out;
    Event writer_work;
    bool writer_waits = false;
    bool writing = false;
    TimePoint write_began{};
    TimePoint last_sent;

    RateMeter down;
    RateMeter up;
    TimePoint connected_since;
    TimePoint last_useful;
};

}  // namespace rqfs::torrent
