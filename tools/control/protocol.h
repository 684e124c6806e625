#pragma once

#include "tools/control/statistics_reply.h"
#include "torrent/control.h"
#include "torrent/error.h"
#include "torrent/status.h"
#include "torrent/why.h"

#include <boost/json/value.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::tools {

// What rqfs and rqfsctl say to each other: HTTP/1.1 with JSON bodies over a Unix socket (rqfs-api.7). The names of JSON
// members are those of the structs; times are seconds since 1970, rates bytes a second.

inline constexpr std::string_view kTorrentFileType = "application/x-bittorrent";
inline constexpr std::size_t kJsonDepth = 64;  // our own documents need a handful

// A torrent and the directory that shows it.
struct TorrentReply {
    torrent::TorrentStatus status;
    std::string path;  // absolute; empty when not mounted
};

// What the readers of a file wait for, and the same in words.
struct WhyReply {
    torrent::WhyStatus status;
    std::string text;
};

// A configuration that was to be read again and could not be: the one before stays in force.
struct ConfigTrouble {
    std::string message;                          // empty: the last one that was read is in force
    std::optional<std::chrono::seconds> since{};  // ago
};

struct SessionReply {
    torrent::SessionStatus status;
    std::string version;
    std::string mountpoint;
    std::string store;
    std::uint32_t process_id = 0;
    ConfigTrouble config{};
    std::string obstacle{};  // why nothing goes out at all; empty: it does, as far as known
};

struct AddReply {
    torrent::InfoHash info_hash;
    bool was_there = false;
    std::string name;
    std::string path;
};

// Why a request failed, as {"error": {"kind", "message"}}; candidates where a name fits several torrents.
struct ErrorReply {
    unsigned status = 500;
    std::string kind;
    std::string message;
    std::vector<std::string> candidates;
};

// The kind and HTTP status of an error of ours.
ErrorReply error_reply(torrent::Errc code, std::string message);

boost::json::value to_json(TorrentReply const& reply);
boost::json::value to_json(SessionReply const& reply);
boost::json::value to_json(AddReply const& reply);
boost::json::value to_json(StatisticsReply const& reply);
boost::json::value to_json(ErrorReply const& reply);
boost::json::value to_json(torrent::FileStatus const& file);
boost::json::value to_json(torrent::PeerStatus const& peer);
boost::json::value to_json(torrent::UnreachedPeer const& peer);
boost::json::value to_json(torrent::TrackerStatus const& tracker);
boost::json::value to_json(torrent::AskedTrackers const& asked);
boost::json::value to_json(WhyReply const& reply);
boost::json::value to_json(torrent::DhtStatus const& node);

// Members that are missing keep their default, unknown ones are ignored: versions may differ. A member of the wrong
// type is malformed.
torrent::Result<TorrentReply> torrent_from_json(boost::json::value const& value);
torrent::Result<SessionReply> session_from_json(boost::json::value const& value);
torrent::Result<AddReply> added_from_json(boost::json::value const& value);
torrent::Result<StatisticsReply> statistics_from_json(boost::json::value const& value);
torrent::Result<ErrorReply> error_from_json(boost::json::value const& value);
torrent::Result<torrent::FileStatus> file_from_json(boost::json::value const& value);
torrent::Result<torrent::PeerStatus> peer_from_json(boost::json::value const& value);
torrent::Result<torrent::UnreachedPeer> unreached_from_json(boost::json::value const& value);
torrent::Result<torrent::TrackerStatus> tracker_from_json(boost::json::value const& value);
torrent::Result<torrent::AskedTrackers> asked_from_json(boost::json::value const& value);
torrent::Result<WhyReply> why_from_json(boost::json::value const& value);
torrent::Result<torrent::DhtStatus> dht_from_json(boost::json::value const& value);

// The body of a request or reply; nothing but whitespace may follow the document.
torrent::Result<boost::json::value> parse_json(std::string_view text);

}  // namespace rqfs::tools
