#pragma once

#include "torrent/connected_peer.h"
#include "torrent/connection_budget.h"
#include "torrent/connections_owner.h"
#include "torrent/metainfo/metainfo.h"
#include "torrent/naming_budget.h"
#include "torrent/net/address_policy.h"
#include "torrent/peer/holepunch_relay.h"
#include "torrent/peer/peer_connection.h"
#include "torrent/peer/peer_exchange.h"
#include "torrent/peer_loggers.h"
#include "torrent/session_context.h"
#include "torrent/status.h"
#include "torrent/swarm/choker.h"
#include "torrent/swarm/peer_list.h"
#include "torrent/swarm/peer_turnover.h"
#include "torrent/swarm/piece_picker.h"
#include "torrent/task_group.h"
#include "torrent/why.h"

#include <boost/asio/awaitable.hpp>
#include <spdlog/logger.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rqfs::torrent {

// The peers of one torrent: known addresses, dials, connected ones, and whom we upload to. Carries what peers say to Download and
// MetadataFetch, and their orders to peers.
//
// Owned by Torrent. Engine thread only; stop() before destruction. May be stopped and started again (pause).
class Connections final : private PeerConnection::Owner {
public:
    using Owner = ConnectionsOwner;

    Connections(SessionContext& session, InfoHash const& info_hash, std::shared_ptr<spdlog::logger> logger, Owner& owner);
    ~Connections() override;

    void start();
    boost::asio::awaitable<void> stop();  // closes all; addresses are kept

    // Addresses.
    void add_addresses(std::vector<Endpoint> const& endpoints, AddressSource source);  // vetted as the source demands
    PeerList const& known() const { return known_; }
    void set_external(Address const& address);  // ours as others see it: decides whom we dial first (BEP 40)
    void leave_refused();   // closes those whom the user's lists name by now
    void become_private();  // peers come from trackers and the user alone (BEP 27)
    void trackers_changed();  // of a private torrent: only the user's peers stay, the trackers of now name the others

    // A peer that dialled us and has named this torrent; our handshake has been sent.
    void adopt_incoming(std::unique_ptr<StreamSocket> socket, Handshake const& theirs);
    PeerId const& peer_id() const { return peer_id_; }
    bool serves_dht() const { return session_.serves_dht() && !owner_.is_private(); }  // said in our handshakes

    // Orders and news for the connected.
    void carry_out(PiecePicker::Order const& order);
    void metadata_arrived();
    void send_metadata(PeerHandle peer, MetadataMessage const& message);
    void piece_stored(PieceIndex piece);
    void pieces_gone(std::span<PieceIndex const> pieces);
    void wishes_changed();
    void ban(PeerHandle peer, std::string const& why);
    void tick();  // a few times a second while there is anything to do: dials, choke rounds, turnover
    void limit_down(std::uint64_t bytes_per_second) { down_limit_.set_limit(bytes_per_second); }  // 0: no limit
    std::size_t connected() const { return peers_.size(); }
    bool idle() const { return peers_.empty() && dialling_ == 0; }  // after tick(): there is nobody to dial
    std::size_t seeds() const;
    std::uint64_t uploaded_bytes() const;
    double upload_rate(TimePoint now) const;
    double download_rate(TimePoint now) const;
    std::vector<PeerStatus> status() const;
    std::map<PeerHandle, WhyStatus::Peer> holders(PieceIndex piece) const;
    void set_logger(std::shared_ptr<spdlog::logger> logger);
    // Null: the torrent's again. False when no such peer is known; throws Errc::too_large when too many have their own.
    bool set_peer_logger(Endpoint const& peer, std::shared_ptr<spdlog::logger> const& logger);

private:
    // PeerConnection::Owner
    void peer_pieces(PeerConnection& peer) override;
    void peer_have(PeerConnection& peer, PieceIndex piece) override;
    void peer_dont_have(PeerConnection& peer, PieceIndex piece) override;
    void peer_choke(PeerConnection& peer, bool choked) override;
    void peer_interested(PeerConnection& peer, bool interested) override;
    void peer_block(PeerConnection& peer, BlockAddress block, std::span<std::byte const> bytes) override;
    void peer_reject(PeerConnection& peer, BlockAddress block) override;
    void peer_allowed_fast(PeerConnection& peer, PieceIndex piece) override;
    void peer_suggest(PeerConnection& peer, PieceIndex piece) override;
    void peer_extensions(PeerConnection& peer) override;
    void peer_metadata(PeerConnection& peer, MetadataMessage const& message) override;
    void peer_exchange(PeerConnection& peer, PexMessage const& message) override;
    void peer_holepunch(PeerConnection& peer, HolepunchMessage const& message) override;
    void peer_dht_port(PeerConnection& peer, std::uint16_t port) override;
    void peer_batch_ended(PeerConnection& peer) override;
    boost::asio::awaitable<SharedBytes> read_for_peer(PieceIndex piece, ByteRange range) override;

    void dial_more();
    boost::asio::awaitable<void> dial(std::vector<Endpoint> endpoints, PeerSource source, ConnectionBudget::Slot slot);
    // False when the connection is not wanted: a second one to the same peer, one too many of its host, or no room.
    bool adopt(std::unique_ptr<StreamSocket> socket, Handshake const& theirs, Endpoint listed, PeerSource source, bool incoming);
    bool admits(StreamSocket const& socket, Handshake const& theirs, Endpoint const& listed, bool incoming);
    bool is_one_too_many(Address const& address) const;  // of one host's
    boost::asio::awaitable<void> run_peer(PeerHandle handle);
    void forget(PeerHandle handle);
    void join_picker(ConnectedPeer& peer);
    void update_interest(PeerConnection& peer);
    void rechoke();
    ChokerPeer choker_view(PeerHandle handle, ConnectedPeer const& peer, TimePoint now) const;
    void turn_over(TimePoint now);
    bool replace_useless(TimePoint now, bool for_a_guest);  // whether somebody left
    TurnoverPeer turnover_view(PeerHandle handle, ConnectedPeer const& peer, TimePoint now) const;
    void leave_fellow_seeds();
    void leave(ConnectedPeer& peer, char const* why);  // not its fault: it may be dialled again at once
    void give_loggers();
    std::size_t target() const;
    PeerConnection* find(PeerHandle handle);
    ExtensionHandshake our_extensions(Endpoint const& remote) const;
    void learn_twin(PeerConnection& peer);
    bool learn_from(PeerConnection const& peer, Endpoint const& named, AddressSource trusted_as);  // listed now?
    void serve_metadata(PeerConnection& peer, MetadataMessage const& request);
    void exchange_peers(TimePoint now);

    SessionContext& session_;
    InfoHash info_hash_;
    std::shared_ptr<spdlog::logger> logger_;
    PeerLoggers peer_loggers_;
    Owner& owner_;
    PeerId peer_id_;
    PeerList known_;
    Choker choker_;
    PeerTurnover turnover_;
    PeerExchange exchange_;
    HolepunchRelay holepunch_;
    NamingBudget naming_;
    std::map<PeerHandle, ConnectedPeer> peers_;
    PeerHandle next_handle_{1};
    std::size_t dialling_ = 0;
    std::map<PeerHandle, Address> departed_;  // who may yet be proven to have sent bad data
    bool interest_dirty_ = false, running_ = false;
    std::uint64_t uploaded_before_ = 0;  // by connections that have ended
    TimePoint next_turnover_{}, next_rescue_{}, idle_since_{};
    std::unique_ptr<TaskGroup> tasks_;
    RateLimiter up_limit_, down_limit_, no_limit_;
};

}  // namespace rqfs::torrent
