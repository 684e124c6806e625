#pragma once

#include "torrent/clock.h"
#include "torrent/control.h"
#include "torrent/library.h"
#include "torrent/settings.h"
#include "torrent/store.h"
#include "torrent/workers.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <vector>

namespace rqfs::torrent {

class Network;
class Resolver;

// All torrents, the listener and the limits they share: the engine as the daemon builds it, as the filesystem sees it (Library) and as the
// user controls it (Control).
//
// Owned by Daemon; engine thread only. start() once, then anything, then stop() before destruction.
class Session final : public Library, public Control {
public:
    struct Parts {  // all outlive the session
        boost::asio::any_io_executor executor;
        Clock& clock;
        Workers& workers;
        Store& store;
        Resolver& resolver;
        Network* network = nullptr;  // null: the machine's own, listening where the settings say
    };

    // Without a network of its own it opens the listening sockets: throws Errc::busy with a sentence that names an explicit port in use.
    Session(Parts parts, Settings settings);
    ~Session() override;

    // Brings back every torrent of the store, then accepts peers.
    boost::asio::awaitable<void> start();
    // Tells trackers `stopped` (at most limit::kTrackerStopTime), closes peers, saves what is unsaved. Waiting reads throw Errc::stopping.
    boost::asio::awaitable<void> stop();
    // Takes what can change at run time; returns the names of changed settings that need a restart.
    std::vector<std::string> apply(Settings const& settings);

    // Library
    void observe(Library::Observer* observer) override;
    std::vector<Entry> entries() const override;
    std::optional<Entry> entry(InfoHash const& info_hash) const override;
    void remember_directory(InfoHash const& info_hash, std::string directory) override;
    TorrentState state(InfoHash const& info_hash) const override;
    double progress(InfoHash const& info_hash) const override;
    std::uint64_t stored_bytes(InfoHash const& info_hash, FileIndex file) const override;
    WhyStatus why(InfoHash const& info_hash, FileIndex file) const override;  // of Control too
    DiskSpace space() const override;
    std::unique_ptr<Stream> open(InfoHash const& info_hash, FileIndex file, ReaderProgram program) override;

    // Control
    boost::asio::awaitable<Added> add(std::string magnet_or_url, AddOptions options) override;
    boost::asio::awaitable<Added> add(std::vector<std::byte> torrent_file, AddOptions options) override;
    boost::asio::awaitable<void> remove(InfoHash info_hash, bool keep_data) override;
    SessionStatus status() const override;
    std::string obstacle() const override;
    Statistics statistics() const override;
    std::vector<TorrentStatus> torrents() const override;
    TorrentStatus torrent(InfoHash info_hash) const override;
    std::vector<FileStatus> files(InfoHash info_hash) const override;
    std::vector<PeerStatus> peers(InfoHash info_hash) const override;
    std::vector<UnreachedPeer> unreached(InfoHash const& info_hash) const override;
    std::vector<TrackerStatus> trackers(InfoHash info_hash) const override;
    std::string magnet(InfoHash info_hash) const override;
    std::vector<DhtStatus> dht() const override;
    std::string why_no_dht() const override;
    boost::asio::awaitable<void> pause(InfoHash info_hash) override;
    boost::asio::awaitable<void> resume(InfoHash info_hash) override;
    boost::asio::awaitable<void> download(InfoHash info_hash, std::vector<FileIndex> files) override;
    void verify(InfoHash info_hash, bool cancel) override;
    boost::asio::awaitable<void> connect(InfoHash info_hash, std::string host, std::uint16_t port) override;
    boost::asio::awaitable<std::string> edit_trackers(InfoHash info_hash, TrackerEdit edit) override;
    AskedTrackers announce(InfoHash const& info_hash, std::optional<std::string> const& tracker) override;
    void scrape(InfoHash const& info_hash) override;
    void limit(std::optional<std::uint64_t> up, std::optional<std::uint64_t> down) override;
    void log_torrent(InfoHash info_hash, std::string level) override;
    void log_peer(Endpoint peer, std::string level) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rqfs::torrent
