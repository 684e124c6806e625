#pragma once

#include "torrent/bitfield.h"
#include "torrent/clock.h"
#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/metainfo/piece_layout.h"
#include "torrent/net/stream_socket.h"
#include "torrent/peer/extension.h"
#include "torrent/peer/handshake.h"
#include "torrent/peer/holepunch_message.h"
#include "torrent/peer/message.h"
#include "torrent/peer/metadata_message.h"
#include "torrent/peer/pex_message.h"
#include "torrent/shared_bytes.h"
#include "torrent/units.h"

#include <spdlog/logger.h>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace rqfs::torrent {

class RateLimiter;

// One connected peer after the handshake: reads messages and reports them, writes what it is told to. It checks form
// (lengths, ranges, order, BEP 6 rules, timeouts, limits of limits.h) and hangs up on offenders; it decides nothing
// else.
//
// Owned by Torrent. run() is its life: a coroutine in Torrent's TaskGroup. Control messages leave before queued
// payload.
class PeerConnection {
public:
    struct Request {  // what they ask of us; checked against the layout
        PieceIndex piece;
        std::uint32_t begin = 0;
        std::uint32_t length = 0;
        friend bool operator==(Request const&, Request const&) = default;
    };

    // Told of everything, on the engine thread, from inside run(). May call back into the connection, close() included,
    // but not destroy it.
    class Owner {
    public:
        virtual ~Owner() = default;
        virtual void peer_pieces(PeerConnection& peer) = 0;  // its first set of pieces is known: pieces()
        virtual void peer_have(PeerConnection& peer, PieceIndex piece) = 0;       // pieces() has it already
        virtual void peer_dont_have(PeerConnection& peer, PieceIndex piece) = 0;  // lt_donthave
        virtual void peer_choke(PeerConnection& peer, bool choked) = 0;
        virtual void peer_interested(PeerConnection& peer, bool interested) = 0;
        virtual void peer_block(PeerConnection& peer, BlockAddress block, std::span<std::byte const> bytes) = 0;
        virtual void peer_reject(PeerConnection& peer, BlockAddress block) = 0;
        virtual void peer_allowed_fast(PeerConnection& peer, PieceIndex piece) = 0;
        virtual void peer_suggest(PeerConnection& peer, PieceIndex piece) = 0;
        virtual void peer_extensions(PeerConnection& peer) = 0;  // extensions() is new
        virtual void peer_metadata(PeerConnection& peer, MetadataMessage const& message) = 0;
        virtual void peer_exchange(PeerConnection& peer, PexMessage const& message) = 0;
        virtual void peer_holepunch(PeerConnection& peer, HolepunchMessage const& message) = 0;
        // Where its node of the DHT listens; once a connection, and only where we told a port of ours.
        virtual void peer_dht_port(PeerConnection& peer, std::uint16_t port) = 0;
        // Everything received so far has been reported: the moment to plan (one call a receive, not one a block).
        virtual void peer_batch_ended(PeerConnection& peer) = 0;
        // Bytes of a piece of ours for an upload; throws when it cannot be read (the request is then rejected).
        virtual boost::asio::awaitable<SharedBytes> read_for_peer(PieceIndex piece, ByteRange range) = 0;
    };

    struct Options {
        PeerHandle handle;
        InfoHash info_hash;
        bool incoming = false;
        std::optional<PieceLayout> layout;    // nothing while the metadata is missing
        Bitfield have;                        // what we tell at first; empty without layout
        ExtensionHandshake extensions;        // ours, sent at once when they speak BEP 10
        std::uint16_t dht_port = 0;           // ours, told where they speak BEP 5; 0: the DHT is not for this torrent
        RateLimiter* upload_limit = nullptr;  // never null when running in a torrent
        RateLimiter* download_limit = nullptr;
        std::shared_ptr<spdlog::logger> logger;
    };

    // `theirs` is the handshake they sent; ours has been sent.
    PeerConnection(boost::asio::any_io_executor executor, Clock& clock, std::unique_ptr<StreamSocket> socket,
                   Handshake theirs, Options options, Owner& owner);
    ~PeerConnection();

    // Until the connection ends, which it says why by reason(). Does not throw but operation_aborted.
    boost::asio::awaitable<void> run();
    // Ends run() soon; the first reason stays.
    void close(std::string reason);
    std::string const& reason() const;

    // Orders. They only queue; nothing is sent while run() is not running.
    void request(BlockAddress block);
    void cancel(BlockAddress block);
    void set_choked(bool choked);  // do we choke them; a choke rejects what they queued (BEP 6), but for allowed fast
    void set_interested(bool interested);
    void have(PieceIndex piece);       // suppressed when they have it
    void dont_have(PieceIndex piece);  // lt_donthave where they speak it; their queued requests for it are rejected
    void allow_fast(PieceIndex piece);
    void send_extensions(ExtensionHandshake const& ours);  // again, when something changed (upload_only)
    void send_metadata(MetadataMessage const& message);  // this and the next two only to those who speak it
    void send_exchange(PexMessage const& message);
    void send_holepunch(HolepunchMessage const& message);
    // The metadata came: their bitfield is checked now (peer_pieces follows, or the connection closes), our own is sent
    // as haves.
    void metadata_known(PieceLayout const& layout, Bitfield const& have);

    // Facts.
    PeerHandle handle() const;
    Endpoint remote() const;
    Endpoint listening_at() const;  // remote address with the port they told (LTEP p); remote() for those we dialled
    bool incoming() const;
    Handshake const& handshake() const;            // theirs
    ExtensionHandshake const& extensions() const;  // theirs; empty until it came
    bool fast() const;                             // BEP 6 on both sides
    Bitfield const& pieces() const;                // theirs; empty until the metadata is known
    bool seed() const;                             // all pieces, or upload_only... all pieces only
    bool choking_us() const;
    bool choked_by_us() const;
    bool interested_in_us() const;
    bool interested() const;                 // are we
    std::uint32_t requests_queued() const;   // theirs
    std::uint64_t downloaded_bytes() const;  // payload
    std::uint64_t uploaded_bytes() const;
    double download_rate(TimePoint now) const;  // over the last seconds, for choker and status
    double upload_rate(TimePoint now) const;
    Duration block_transfer() const;  // within Owner::peer_block: since when that block's bytes came
    TimePoint connected_since() const;
    TimePoint last_useful() const;  // when either side last sent payload, or interest changed
    void set_logger(std::shared_ptr<spdlog::logger> logger);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rqfs::torrent
