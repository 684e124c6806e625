// The resources below /v1/torrents/T; the second half of ControlApi.
#include "tools/control/host_and_port.h"
#include "tools/rqfs/api_body.h"
#include "tools/rqfs/control_api.h"
#include "tools/rqfs/torrent_selector.h"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <variant>

namespace rqfs::tools {

namespace asio = boost::asio;
namespace json = boost::json;
using torrent::Errc;

namespace {

template <class Items>
ApiReply listing(std::string_view name, Items const& items) {
    json::array list;
    for (auto const& item : items) list.push_back(to_json(item));
    json::object document;
    document[name] = std::move(list);
    return {200, std::move(document), {}, false};
}

bool is_action(std::string_view name) {
    return name == "pause" || name == "resume" || name == "verify" || name == "download" || name == "connect";
}

bool is_part(std::string_view name) { return name == "files" || name == "peers" || name == "magnet" || name == "why"; }

// The number of a file. Numbers beyond those of any torrent are malformed too.
torrent::FileIndex file_in_query(std::map<std::string, std::string> const& query) {
    auto const found = query.find("file");
    std::uint32_t number = 0;
    if (found != query.end()) {
        auto const* const end = found->second.data() + found->second.size();
        auto const parsed = std::from_chars(found->second.data(), end, number);
        if (parsed.ec == std::errc() && parsed.ptr == end) return torrent::FileIndex(number);
    }
    fail(Errc::malformed, "\"file\" must be the number of a file in the torrent");
}

}  // namespace

WhyReply ControlApi::why(torrent::InfoHash info_hash, torrent::FileIndex file) const {
    WhyReply reply;
    reply.status = control_.why(info_hash, file);
    reply.status.limit = daemon_.read_limit();
    reply.text = torrent::explain(reply.status);
    return reply;
}

torrent::InfoHash ControlApi::find(std::string const& text) const {
    auto torrents = control_.torrents();
    for (auto& status : torrents) status = reply_of(std::move(status)).status;
    auto const found = select_torrent(text, torrents);
    if (auto const* const failure = std::get_if<ErrorReply>(&found)) throw ApiFailure{*failure, {}};
    return std::get<torrent::InfoHash>(found);
}

// The mount knows better than the status where the torrent is: a magnet's directory is remembered only with its
// metadata. It is renamed then, but its alias by the hash stays, so that is the path that is told until then.
TorrentReply ControlApi::reply_of(torrent::TorrentStatus status) const {
    auto path = daemon_.directory_path(status.info_hash);
    status.directory = path.substr(path.rfind('/') + 1);
    bool const renamed_later = status.pieces == 0 && !path.empty();
    if (renamed_later) path = daemon_.mountpoint() + "/" + status.info_hash.hex();
    return {std::move(status), std::move(path)};
}

asio::awaitable<ApiReply> ControlApi::torrent(ApiRequest request) {
    auto const info_hash = find(request.target.path[2]);
    if (request.target.path.size() == 4) co_return co_await torrent_part(std::move(request), info_hash);
    ApiReply reply;
    if (request.method == "GET") {
        reply.body = to_json(reply_of(control_.torrent(info_hash)));
    } else if (request.method == "DELETE") {
        allow_in_query(request.target.query, {"keep_data"});
        co_await control_.remove(info_hash, flag_in_query(request.target.query, "keep_data"));
        json::object document;
        document["info_hash"] = info_hash.hex();
        reply.body = std::move(document);
    } else {
        fail_method("GET, DELETE");
    }
    co_return reply;
}

asio::awaitable<ApiReply> ControlApi::torrent_part(ApiRequest request, torrent::InfoHash info_hash) {
    auto const part = request.target.path[3];
    if (part == "trackers") co_return co_await trackers(std::move(request), info_hash);
    if (part == "announce") co_return announce(request, info_hash);
    if (!is_part(part) && !is_action(part)) fail(Errc::not_found, "there is no such resource");
    auto const method = is_action(part) ? "POST" : "GET";
    if (request.method != method) fail_method(method);
    if (part == "files") co_return listing(part, control_.files(info_hash));
    if (part == "peers") {
        auto reply = listing(part, control_.peers(info_hash));
        reply.body.get_object()["unreached"] = listing(part, control_.unreached(info_hash)).body.get_object()[part];
        co_return reply;
    }
    if (part == "magnet") {
        json::object document;
        document["magnet"] = control_.magnet(info_hash);
        ApiReply reply;
        reply.body = std::move(document);
        co_return reply;
    }
    if (part == "why") {
        allow_in_query(request.target.query, {"file"});
        ApiReply reply;
        reply.body = to_json(why(info_hash, file_in_query(request.target.query)));
        co_return reply;
    }
    auto body = part == "verify"     ? parse_body(request.body, {"cancel"})
                : part == "download" ? parse_body(request.body, {"files"})
                : part == "connect"  ? parse_body(request.body, {"endpoint"})
                                     : parse_body(request.body, {});
    co_return co_await torrent_action(part, info_hash, std::move(body));
}

asio::awaitable<ApiReply> ControlApi::torrent_action(std::string action, torrent::InfoHash info_hash,
                                                     json::object body) {
    if (action == "pause") co_await control_.pause(info_hash);
    if (action == "resume") co_await control_.resume(info_hash);
    if (action == "verify") control_.verify(info_hash, flag_member(body, "cancel").value_or(false));
    if (action == "download") co_await download(info_hash, std::move(body));
    if (action == "connect") {
        auto const endpoint = parse_host_and_port(required_text(body, "endpoint"));
        if (!endpoint) fail(Errc::malformed, "\"endpoint\" must be HOST:PORT like 10.0.0.1:6881 or [fd99::1]:6881");
        co_await control_.connect(info_hash, endpoint->host, endpoint->port);
    }
    ApiReply reply;
    reply.body = to_json(reply_of(control_.torrent(info_hash)));
    co_return reply;
}

asio::awaitable<void> ControlApi::download(torrent::InfoHash info_hash, json::object body) {
    std::vector<torrent::FileIndex> wanted;
    if (auto const* const files = body.if_contains("files")) {
        if (!files->is_array()) fail(Errc::malformed, "\"files\" must be a list of paths");
        auto const known = control_.files(info_hash);
        if (known.empty() && !files->get_array().empty())
            fail(Errc::not_found, "the torrent's files are not known yet: its metadata is missing");
        for (auto const& element : files->get_array()) {
            if (!element.is_string()) fail(Errc::malformed, "\"files\" must be a list of paths");
            auto const& text = element.get_string();
            auto const selected = select_files({text.data(), text.size()}, known);
            if (auto const* const failure = std::get_if<ErrorReply>(&selected)) throw ApiFailure{*failure, {}};
            auto const& indices = std::get<0>(selected);
            wanted.insert(wanted.end(), indices.begin(), indices.end());
        }
        std::sort(wanted.begin(), wanted.end());
        wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    }
    co_await control_.download(info_hash, std::move(wanted));
}

}  // namespace rqfs::tools
