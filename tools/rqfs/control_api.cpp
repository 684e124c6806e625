#include "tools/rqfs/control_api.h"

#include "tools/control/log_level.h"
#include "tools/control/text.h"
#include "tools/rqfs/api_body.h"
#include "tools/rqfs/log.h"

#include <boost/asio/error.hpp>
#include <boost/json/array.hpp>

#include <cstring>
#include <exception>
#include <utility>

#ifndef RQFS_VERSION
#define RQFS_VERSION "unknown"
#endif

namespace rqfs::tools {

namespace asio = boost::asio;
namespace json = boost::json;
using torrent::Errc;

namespace {

ApiReply reply_of_error(ErrorReply const& error) { return {error.status, to_json(error), {}, false}; }

ApiReply no_resource() { return reply_of_error(error_reply(Errc::not_found, "there is no such resource")); }

std::vector<std::byte> bytes_of(std::string const& text) {
    std::vector<std::byte> bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
}

ErrorReply describe(boost::system::system_error const& failure) {
    if (failure.code().category() == torrent::torrent_category())
        return error_reply(static_cast<Errc>(failure.code().value()), torrent::sentence(failure));
    return {500, "internal", torrent::sentence(failure), {}};
}

}  // namespace

asio::awaitable<ApiReply> ControlApi::handle(ApiRequest request) {
    try {
        co_return co_await dispatch(std::move(request));
    } catch (ApiFailure const& failure) {
        auto reply = reply_of_error(failure.reply);
        reply.allow = failure.allow;
        co_return reply;
    } catch (boost::system::system_error const& failure) {
        if (failure.code() == asio::error::operation_aborted) throw;
        co_return reply_of_error(describe(failure));
    } catch (std::exception const& failure) {
        tools::log().error("control request failed error={}", failure.what());
        ErrorReply const internal{500, "internal", failure.what(), {}};
        co_return reply_of_error(internal);
    }
}

bool ControlApi::takes_torrent_file(std::string_view method, RequestTarget const& target,
                                    std::string_view content_type) {
    return method == "POST" && target.path.size() == 2 && target.path[1] == "torrents" &&
           content_type == kTorrentFileType;
}

asio::awaitable<ApiReply> ControlApi::dispatch(ApiRequest request) {
    auto const& path = request.target.path;
    if (path.empty() || path.front() != "v1" || path.size() > 4) co_return no_resource();
    auto const resource = path.size() > 1 ? path[1] : std::string();
    if (resource == "torrents") {
        if (path.size() == 2) co_return co_await torrents(std::move(request));
        co_return co_await torrent(std::move(request));
    }
    if (path.size() > 2) co_return no_resource();
    if (resource == "status") co_return status(request);
    if (resource == "stats") co_return statistics(request);
    if (resource == "dht") co_return dht(request);
    if (resource == "limits") co_return limits(request);
    if (resource == "log") co_return log(request);
    if (resource == "stop") co_return stop(request);
    co_return no_resource();
}

asio::awaitable<ApiReply> ControlApi::torrents(ApiRequest request) {
    if (request.method == "POST") co_return co_await add(std::move(request));
    if (request.method != "GET") fail_method("GET, POST");
    allow_in_query(request.target.query, {});
    json::array list;
    for (auto& status : control_.torrents()) list.push_back(to_json(reply_of(std::move(status))));
    json::object document;
    document["torrents"] = std::move(list);
    ApiReply reply;
    reply.body = std::move(document);
    co_return reply;
}

asio::awaitable<ApiReply> ControlApi::add(ApiRequest request) {
    torrent::AddOptions options;
    torrent::Added added;
    if (takes_torrent_file(request.method, request.target, request.content_type)) {
        allow_in_query(request.target.query, {"paused", "download"});
        options.paused = flag_in_query(request.target.query, "paused");
        options.download = flag_in_query(request.target.query, "download");
        added = co_await control_.add(bytes_of(request.body), options);
    } else {
        allow_in_query(request.target.query, {});
        auto const body = parse_body(request.body, {"source", "paused", "download"});
        options.paused = flag_member(body, "paused").value_or(false);
        options.download = flag_member(body, "download").value_or(false);
        added = co_await control_.add(required_text(body, "source"), options);
    }
    auto const now = reply_of(control_.torrent(added.info_hash));
    AddReply const reply{added.info_hash, added.was_there, now.status.name, now.path};
    ApiReply answer;
    answer.status = added.was_there ? 200 : 201;
    answer.body = to_json(reply);
    co_return answer;
}

ApiReply ControlApi::status(ApiRequest const& request) const {
    if (request.method != "GET") fail_method("GET");
    SessionReply const reply{control_.status(),  RQFS_VERSION,         daemon_.mountpoint(),
                             daemon_.store(),    daemon_.process_id(), daemon_.config_trouble(),
                             control_.obstacle()};
    return {200, to_json(reply), {}, false};
}

ApiReply ControlApi::statistics(ApiRequest const& request) const {
    if (request.method != "GET") fail_method("GET");
    return {200, to_json(statistics_reply(control_.statistics())), {}, false};
}

ApiReply ControlApi::dht(ApiRequest const& request) const {
    if (request.method != "GET") fail_method("GET");
    json::array nodes;
    for (auto const& node : control_.dht()) nodes.push_back(to_json(node));
    json::object document;
    document["nodes"] = std::move(nodes);
    document["off"] = control_.why_no_dht();
    document["obstacle"] = control_.obstacle();
    return {200, std::move(document), {}, false};
}

json::value ControlApi::limits_document() const {
    auto const status = control_.status();
    json::object document;
    document["up"] = status.up_limit;
    document["down"] = status.down_limit;
    return document;
}

ApiReply ControlApi::limits(ApiRequest const& request) {
    if (request.method == "PATCH") {
        auto const body = parse_body(request.body, {"up", "down"});
        auto const up = number_member(body, "up");
        auto const down = number_member(body, "down");
        control_.limit(up, down);
    } else if (request.method != "GET") {
        fail_method("GET, PATCH");
    }
    return {200, limits_document(), {}, false};
}

ApiReply ControlApi::log(ApiRequest const& request) {
    if (request.method != "PATCH") fail_method("PATCH");
    auto const body = parse_body(request.body, {"logger", "level", "torrent", "peer"});
    auto const selected = text_member(body, "torrent");
    auto const peer = text_member(body, "peer");
    auto const logger = required_text(body, "logger");
    auto const level = required_text(body, "level");
    if (selected && peer) fail(Errc::malformed, "a level is for a torrent or a peer, not both");
    if ((selected || peer) && logger != "torrent")
        fail(Errc::malformed, "only the logger \"torrent\" has levels for torrents and peers, not \"" + logger + "\"");
    bool const taken_back = level.empty() && (selected || peer);
    if (!taken_back && !is_level(level))
        fail(Errc::malformed, "a level is " + std::string(kLevels) + ", not \"" + printable(level) + "\"");
    if (selected) {
        control_.log_torrent(find(*selected), level);
    } else if (peer) {
        auto const endpoint = torrent::Endpoint::parse(*peer);
        if (!endpoint) fail(endpoint.error().code, endpoint.error().what);
        control_.log_peer(*endpoint, level);
    } else {
        daemon_.set_log_level(logger, level);
    }
    return {200, json::object(), {}, false};
}

ApiReply ControlApi::stop(ApiRequest const& request) {
    if (request.method != "POST") fail_method("POST");
    return {202, json::object(), {}, true};
}

}  // namespace rqfs::tools
