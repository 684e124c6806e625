// What is said to and of a torrent's trackers: /v1/torrents/T/trackers and /announce, a part of ControlApi.
#include "tools/rqfs/api_body.h"
#include "tools/rqfs/control_api.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::tools {

namespace asio = boost::asio;
namespace json = boost::json;
using torrent::Errc;

namespace {

std::optional<std::vector<std::vector<std::string>>> tiers_member(json::object const& body, std::string_view name) {
    auto const* const value = body.if_contains(name);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (!value->is_array()) fail(Errc::malformed, "\"" + std::string(name) + "\" must be a list of lists of strings");
    std::vector<std::vector<std::string>> tiers;
    for (auto const& element : value->get_array()) {
        json::object tier;
        tier[name] = element;
        auto urls = texts_member(tier, name);
        if (!urls) fail(Errc::malformed, "\"" + std::string(name) + "\" must be a list of lists of strings");
        tiers.push_back(std::move(*urls));
    }
    return tiers;
}

torrent::TrackerEdit edit_of(json::object const& body) {
    torrent::TrackerEdit edit;
    edit.replace = tiers_member(body, "replace");
    edit.remove = texts_member(body, "remove").value_or(std::vector<std::string>());
    edit.add = texts_member(body, "add").value_or(std::vector<std::string>());
    auto const tier = number_member(body, "tier");
    if (tier && edit.add.empty()) fail(Errc::malformed, "\"tier\" says where to add, but nothing is added");
    constexpr std::uint64_t last = std::numeric_limits<std::uint32_t>::max();
    if (tier) edit.tier = static_cast<std::uint32_t>(std::min(*tier, last));
    return edit;
}

}  // namespace

ApiReply ControlApi::tracker_listing(torrent::InfoHash const& info_hash, std::string const& warning) {
    json::array list;
    for (auto const& tracker : control_.trackers(info_hash)) list.push_back(to_json(tracker));
    json::object document;
    document["trackers"] = std::move(list);
    if (!warning.empty()) document["warning"] = warning;
    return {200, std::move(document), {}, false};
}

asio::awaitable<ApiReply> ControlApi::trackers(ApiRequest request, torrent::InfoHash info_hash) {
    allow_in_query(request.target.query, {});
    if (request.method == "GET") {
        control_.scrape(info_hash);
        co_return tracker_listing(info_hash, {});
    }
    if (request.method != "PATCH") fail_method("GET, PATCH");
    auto edit = edit_of(parse_body(request.body, {"replace", "remove", "add", "tier"}));
    auto const warning = co_await control_.edit_trackers(info_hash, std::move(edit));
    co_return tracker_listing(info_hash, warning);
}

ApiReply ControlApi::announce(ApiRequest const& request, torrent::InfoHash const& info_hash) {
    if (request.method != "POST") fail_method("POST");
    auto const tracker = text_member(parse_body(request.body, {"tracker"}), "tracker");
    return {200, to_json(control_.announce(info_hash, tracker)), {}, false};
}

}  // namespace rqfs::tools
