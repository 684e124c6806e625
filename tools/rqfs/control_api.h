#pragma once

#include "tools/control/protocol.h"
#include "tools/control/request_target.h"
#include "tools/rqfs/daemon_control.h"
#include "torrent/control.h"

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::tools {

struct ApiRequest {
    std::string method;
    RequestTarget target;
    std::string content_type;  // without parameters, lower case
    std::string body;
};

struct ApiReply {
    unsigned status = 200;
    boost::json::value body;
    std::string allow;       // the methods there are, with status 405
    bool then_stop = false;  // the daemon ends once the reply is written
};

// The resources of rqfs-api.7: turns requests into calls of Control and DaemonControl, and what comes back into
// replies. Owned by ControlServer; engine thread only. Errors become replies; only a cancellation is thrown.
class ControlApi {
public:
    ControlApi(torrent::Control& control, DaemonControl& daemon) : control_(control), daemon_(daemon) {}

    boost::asio::awaitable<ApiReply> handle(ApiRequest request);

    // A torrent file may be uploaded here: its body may be large.
    static bool takes_torrent_file(std::string_view method, RequestTarget const& target, std::string_view content_type);

private:
    boost::asio::awaitable<ApiReply> dispatch(ApiRequest request);
    boost::asio::awaitable<ApiReply> torrents(ApiRequest request);
    boost::asio::awaitable<ApiReply> add(ApiRequest request);
    boost::asio::awaitable<ApiReply> torrent(ApiRequest request);
    boost::asio::awaitable<ApiReply> torrent_part(ApiRequest request, torrent::InfoHash info_hash);
    boost::asio::awaitable<ApiReply> torrent_action(std::string action, torrent::InfoHash info_hash,
                                                    boost::json::object body);
    boost::asio::awaitable<void> download(torrent::InfoHash info_hash, boost::json::object body);
    boost::asio::awaitable<ApiReply> trackers(ApiRequest request, torrent::InfoHash info_hash);
    ApiReply tracker_listing(torrent::InfoHash const& info_hash, std::string const& warning);
    ApiReply announce(ApiRequest const& request, torrent::InfoHash const& info_hash);
    WhyReply why(torrent::InfoHash info_hash, torrent::FileIndex file) const;
    ApiReply status(ApiRequest const& request) const;
    ApiReply statistics(ApiRequest const& request) const;
    ApiReply dht(ApiRequest const& request) const;
    ApiReply limits(ApiRequest const& request);
    ApiReply log(ApiRequest const& request);
    ApiReply stop(ApiRequest const& request);

    torrent::InfoHash find(std::string const& text) const;
    TorrentReply reply_of(torrent::TorrentStatus status) const;
    boost::json::value limits_document() const;

    torrent::Control& control_;
    DaemonControl& daemon_;
};

}  // namespace rqfs::tools
