#pragma once

#include "torrent/error.h"
#include "torrent/info_hash.h"
#include "torrent/statistics.h"
#include "torrent/status.h"
#include "torrent/tracker_edit.h"
#include "torrent/units.h"
#include "torrent/unreached_peer.h"
#include "torrent/why.h"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rqfs::torrent {

struct AddOptions {
    bool paused = false;
    bool download = false;
};

struct Added {
    InfoHash info_hash;
    bool was_there = false;  // its trackers were merged
};

// What the user can tell the engine. Session implements it; the control server and its tests see only this. Engine thread only.
// Functions throw system_error (Errc::not_found for an unknown torrent) with a sentence made for the user.
class Control {
public:
    virtual ~Control() = default;

    // A magnet link or http(s) URL of a torrent file (the daemon fetches it), or the bytes of a torrent file. Durable, and visible in the
    // mount, when it returns.
    virtual boost::asio::awaitable<Added> add(std::string magnet_or_url, AddOptions options) = 0;
    virtual boost::asio::awaitable<Added> add(std::vector<std::byte> torrent_file, AddOptions options) = 0;
    virtual boost::asio::awaitable<void> remove(InfoHash info_hash, bool keep_data) = 0;

    virtual SessionStatus status() const = 0;
    // Why nothing goes out at all, as a sentence; empty: it does, as far as known.
    virtual std::string obstacle() const = 0;
    virtual Statistics statistics() const = 0;
    virtual std::vector<TorrentStatus> torrents() const = 0;  // in the order they were added
    virtual TorrentStatus torrent(InfoHash info_hash) const = 0;
    virtual std::vector<FileStatus> files(InfoHash info_hash) const = 0;  // empty while the metadata is missing
    virtual std::vector<PeerStatus> peers(InfoHash info_hash) const = 0;
    virtual std::vector<UnreachedPeer> unreached(InfoHash const& info_hash) const = 0;  // that the user named
    virtual std::vector<TrackerStatus> trackers(InfoHash info_hash) const = 0;
    virtual std::string magnet(InfoHash info_hash) const = 0;
    virtual std::vector<DhtStatus> dht() const = 0;  // one an address family; empty while it is off
    virtual std::string why_no_dht() const = 0;  // as a sentence; empty while it is on
    // What the readers of a file wait for; while the metadata is missing, of any file. Throws Errc::not_found also for an unknown file.
    virtual WhyStatus why(InfoHash const& info_hash, FileIndex file) const = 0;

    virtual boost::asio::awaitable<void> pause(InfoHash info_hash) = 0;
    virtual boost::asio::awaitable<void> resume(InfoHash info_hash) = 0;  // also retries after an error or a full disk at once
    // Wants these files, in addition to what is wanted already; none given: what the magnet selected, or all.
    virtual boost::asio::awaitable<void> download(InfoHash info_hash, std::vector<FileIndex> files) = 0;
    virtual void verify(InfoHash info_hash, bool cancel) = 0;  // starts (or cancels) checking in the background
    virtual boost::asio::awaitable<void> connect(InfoHash info_hash, std::string host, std::uint16_t port) = 0;

    // Durable, and under way at the trackers, when it returns; all of it or nothing. Returns a warning in a sentence, or nothing.
    virtual boost::asio::awaitable<std::string> edit_trackers(InfoHash info_hash, TrackerEdit edit) = 0;
    // Announces now, to one tracker or to all and the DHT; no tracker sooner than it allows. Throws Errc::busy when nobody may be asked.
    virtual AskedTrackers announce(InfoHash const& info_hash, std::optional<std::string> const& tracker) = 0;
    // Somebody looks at trackers(): figures that are minutes old are asked for again.
    virtual void scrape(InfoHash const& info_hash) = 0;

    // Bytes a second, 0 is unlimited; nothing leaves that limit as it is.
    virtual void limit(std::optional<std::uint64_t> up, std::optional<std::uint64_t> down) = 0;

    // A level of its own for a torrent or one peer of it ("trace" ... "off"); empty: as the logger.
    virtual void log_torrent(InfoHash info_hash, std::string level) = 0;
    virtual void log_peer(Endpoint peer, std::string level) = 0;
};

}  // namespace rqfs::torrent
