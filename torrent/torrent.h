#pragma once

#include "torrent/connections.h"
#include "torrent/download.h"
#include "torrent/library.h"
#include "torrent/metadata_fetch.h"
#include "torrent/metainfo/metainfo.h"
#include "torrent/peer_search.h"
#include "torrent/readers.h"
#include "torrent/record_keeper.h"
#include "torrent/session_context.h"
#include "torrent/status.h"
#include "torrent/tracker/announcer.h"
#include "torrent/tracker_edit.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::torrent {

// One torrent of the session: metadata first, then pieces. Joins what its parts decide; knows no other torrent.
//
// Owned by Session. Engine thread only; start() once, stop() before destruction.
class Torrent final : private Connections::Owner,
                      private Download::Owner,
                      private Readers::Owner,
                      private MetadataFetch::Owner,
                      private Announcer::Owner {
public:
    struct Owner {
        virtual ~Owner() = default;
        virtual void metadata_arrived(Torrent& torrent) = 0;
        virtual void peer_says_we_are(Address address, Endpoint const& peer) = 0;
        virtual void tracker_says_we_are(Address address, Address const& tracker, bool users) = 0;
    };

    Torrent(SessionContext& session, TorrentRecord record, Owner& owner);
    ~Torrent() override;

    void start();
    // Everything ends: trackers hear `stopped` (at most limit::kTrackerStopTime), peers are closed, waiting reads throw, with `removed`
    // as the reason or the daemon's stop.
    boost::asio::awaitable<void> stop(Errc why);

    boost::asio::awaitable<void> keep();  // makes a torrent that was just added durable
    // What the user says; each waits for the one before, all throw once stop() has begun.
    boost::asio::awaitable<void> pause();
    boost::asio::awaitable<void> resume();
    boost::asio::awaitable<void> want(std::vector<FileIndex> files);
    boost::asio::awaitable<void> merge(TorrentRecord const& more);  // trackers and peers of a second add; metadata if it was missing
    boost::asio::awaitable<std::string> edit_trackers(TrackerEdit edit);  // returns a warning, or nothing
    AskedTrackers announce(std::optional<std::string> const& url);        // to all trackers when none is named
    void scrape();                                                        // somebody looks at trackers()
    void verify(bool cancel);
    // Not vetted: the user's word. `host_port` is remembered for later runs unless empty.
    void connect(std::vector<Endpoint> const& endpoints, std::string const& host_port);
    void set_log_level(std::string const& level);
    bool set_peer_log_level(Endpoint const& peer, std::string const& level);
    void remember_directory(std::string directory);
    void set_external(std::optional<Address> address, bool new_port = false);  // as the session has found
    void settings_changed();
    std::unique_ptr<Stream> open(FileIndex file, ReaderProgram const& program);
    bool accepts_peers() const { return running_; }
    PeerId const& peer_id() const { return connections_.peer_id(); }
    void adopt_incoming(std::unique_ptr<StreamSocket> socket, Handshake const& theirs);

    InfoHash const& info_hash() const { return record_.info_hash; }
    TorrentRecord const& record() const { return record_; }
    std::shared_ptr<Metainfo const> const& metainfo() const { return metainfo_; }
    Connections const& connections() const { return connections_; }
    TorrentState state() const;
    double progress() const;
    std::uint64_t stored_bytes(FileIndex file) const;
    TorrentStatus status() const;
    std::uint64_t unread_read_ahead_bytes() const { return download_ ? download_->unread_read_ahead_bytes() : 0; }
    std::vector<FileStatus> files() const;
    std::vector<PeerStatus> peers() const;
    WhyStatus why(FileIndex file) const;  // throws Errc::not_found
    std::vector<TrackerStatus> trackers() const;  // and the DHT
    std::string magnet() const;

private:
    // Connections::Owner
    Download* download() override { return download_.get(); }
    MetadataFetch* metadata_fetch() override { return download_ ? nullptr : metadata_fetch_.get(); }
    bool active() const override;
    bool hurried() const override;
    bool is_private() const override { return metainfo_ && metainfo_->is_private(); }
    void peers_ran_out() override;
    void peer_says_we_are(Address address, Endpoint const& peer) override { owner_.peer_says_we_are(address, peer); }
    // Download::Owner
    void carry_out(PiecePicker::Order const& order) override { connections_.carry_out(order); }
    void wishes_changed() override;
    void piece_stored(PieceIndex piece) override;
    void pieces_gone(std::span<PieceIndex const> pieces) override;
    void ban_peer(PeerHandle peer, std::string const& why) override { connections_.ban(peer, why); }
    void store_condition_changed() override;
    // Readers::Owner
    std::optional<Error> reading_forbidden() const override;
    void readers_changed(bool other_files) override;
    // MetadataFetch::Owner
    void send_metadata(PeerHandle peer, MetadataMessage const& message) override { connections_.send_metadata(peer, message); }
    void metadata_complete(std::vector<std::byte> info) override;
    // Announcer::Owner
    Announcer::Facts announce_facts() const override;
    void tracker_peers(std::string const& tracker, std::vector<Endpoint> peers) override;
    void tracker_says_we_are(Address address, Address const& tracker, bool users) override { owner_.tracker_says_we_are(address, tracker, users); }

    class Operation;
    boost::asio::awaitable<void> my_turn();

    void take_metainfo(std::shared_ptr<Metainfo const> metainfo);
    void run();
    boost::asio::awaitable<void> halt();
    boost::asio::awaitable<void> keep_ticking();
    void drop_unknown_selection();
    PeerSearch::Need need() const;
    void apply_wanted();
    Bitfield wanted_pieces() const;
    Duration tick_interval(bool fruitless) const;
    void take_turns();
    std::string reason() const;
    std::string waiting_reason() const;
    std::string printable_name() const;  // for the log: no control characters

    SessionContext& session_;
    Owner& owner_;
    TorrentRecord record_;
    std::shared_ptr<spdlog::logger> logger_;
    std::shared_ptr<Metainfo const> metainfo_;
    Connections connections_;
    PeerSearch peer_search_;
    Announcer announcer_;
    std::unique_ptr<MetadataFetch> metadata_fetch_;  // while the metadata is missing, and until the next halt()
    std::unique_ptr<Download> download_;             // from then on
    std::unique_ptr<Readers> readers_;
    bool running_ = false;                           // neither paused nor stopped
    std::optional<Error> ended_;                     // why every read throws from now on
    std::size_t operations_ = 0;                     // of the user's, under way
    bool changing_ = false;                          // one of them has the torrent alone
    Event operation_ended_;
    TimePoint next_totals_{};
    Event tick_now_;
    TaskGroup tasks_;
    RecordKeeper keeper_;
};

}  // namespace rqfs::torrent
