#include "torrent/tracker/http_messages.h"

#include "torrent/metainfo/bencode.h"
#include "torrent/settings.h"
#include "torrent/tracker/tracker_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rqfs::torrent {

namespace {

constexpr bencode::Limits kReplyLimits{limit::kBencodeDepthMessage, limit::kBencodeTokensTracker};

std::string_view as_text(std::span<std::byte const> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

std::string hex_key(std::uint32_t key) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string text;
    for (int shift = 28; shift >= 0; shift -= 4) text += digits[key >> shift & 15];
    return text;
}

std::string_view event_text(AnnounceRequest const& request) {
    switch (request.event) {
        case AnnounceEvent::completed: return "completed";
        case AnnounceEvent::started: return "started";
        case AnnounceEvent::stopped: return "stopped";
        case AnnounceEvent::none: break;
    }
    return request.partial_seed ? "paused" : "";  // BEP 21
}

std::optional<std::chrono::seconds> find_seconds(bencode::Value const& dictionary, std::string_view key) {
    auto const value = dictionary.find(key);
    auto const number = value ? value->integer() : std::nullopt;
    if (!number) return std::nullopt;
    // Both ends are far outside what is believed; between them no arithmetic on it overflows.
    constexpr std::int64_t farthest = std::numeric_limits<std::int32_t>::max();
    return std::chrono::seconds(std::clamp<std::int64_t>(*number, -1, farthest));
}

std::optional<std::uint32_t> find_count(bencode::Value const& dictionary, std::string_view key) {
    auto const value = dictionary.find(key);
    auto const number = value ? value->integer() : std::nullopt;
    if (!number || *number < 0 || *number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    return static_cast<std::uint32_t>(*number);
}

std::string find_text(bencode::Value const& dictionary, std::string_view key) {
    auto const value = dictionary.find(key);
    auto const text = value ? value->text() : std::nullopt;
    return text ? tracker_text(*text) : std::string();
}

void add_peers(std::vector<Endpoint> const& more, std::vector<Endpoint>& peers) {
    for (auto const& endpoint : more)
        if (endpoint.port != 0 && peers.size() < limit::kTrackerPeers) peers.push_back(endpoint);
}

// The older form: a list of dictionaries whose `ip` may even be a name, which we do not look up for strangers.
void add_dictionary_peers(bencode::Value const& list, std::vector<Endpoint>& peers) {
    for (auto const& each : list.elements()) {
        if (peers.size() >= limit::kTrackerPeers) return;
        auto const ip = each.find("ip");
        auto const text = ip ? ip->text() : std::nullopt;
        auto const port = find_count(each, "port");
        if (!text || !port || *port == 0 || *port > 65535) continue;
        if (auto const address = Address::parse(*text)) peers.push_back({*address, static_cast<std::uint16_t>(*port)});
    }
}

void add_peers_of(bencode::Value const& reply, std::string_view key, bool v6, std::vector<Endpoint>& peers) {
    auto const value = reply.find(key);
    if (!value) return;
    if (auto const bytes = value->bytes()) {
        // No more than may be kept is even looked at.
        auto const used = bytes->first(std::min(bytes->size(), limit::kTrackerPeers * (v6 ? 18 : 6)));
        add_peers(v6 ? parse_compact_v6(used) : parse_compact_v4(used), peers);
    } else if (value->type() == bencode::Value::Type::list) {
        add_dictionary_peers(*value, peers);
    }
}

// BEP 31: minutes, or the word "never".
AnnounceFailure make_failure(bencode::Value const& reply, std::string reason) {
    AnnounceFailure failure{std::move(reason)};
    auto const value = reply.find("retry in");
    if (!value) return failure;
    auto minutes = value->integer();
    if (auto const text = value->text()) {
        failure.never = *text == "never";
        std::int64_t number = 0;
        auto const [end, wrong] = std::from_chars(text->data(), text->data() + text->size(), number);
        if (wrong == std::errc() && end == text->data() + text->size()) minutes = number;
    }
    constexpr std::int64_t most = limit::kMaxAnnounceInterval.count() / 60;
    if (minutes && *minutes > 0) failure.retry_in = std::chrono::minutes(std::min(*minutes, most));
    return failure;
}

std::string status_failure(unsigned status) {
    return "the tracker answered with HTTP status " + std::to_string(status);
}

}  // namespace

Url announce_url(Url const& tracker, AnnounceRequest const& request) {
    Url url = tracker;
    auto const question = url.target.find('?');
    if (question == std::string::npos)
        url.target += '?';
    else if (url.target.back() != '?' && url.target.back() != '&')
        url.target += '&';
    url.target += "info_hash=" + percent_encode(as_text(request.info_hash.bytes())) +
                  "&peer_id=" + percent_encode(as_text(request.peer_id)) + "&port=" + std::to_string(request.port) +
                  "&uploaded=" + std::to_string(request.uploaded_bytes) +
                  "&downloaded=" + std::to_string(request.downloaded_bytes) +
                  "&left=" + std::to_string(request.left_bytes) + "&key=" + hex_key(request.key);
    if (auto const event = event_text(request); !event.empty()) url.target.append("&event=").append(event);
    url.target += "&numwant=" + std::to_string(request.num_want) + "&compact=1&no_peer_id=1";
    if (!request.tracker_id.empty()) url.target += "&trackerid=" + percent_encode(request.tracker_id);
    return url;
}

AnnounceResult parse_announce_reply(unsigned status, std::span<std::byte const> body) {
    auto const document = bencode::Document::parse(body, kReplyLimits);
    bool const dictionary = document && document->root().type() == bencode::Value::Type::dictionary;
    if (!dictionary) {
        if (status != 200) return AnnounceFailure{status_failure(status)};
        return AnnounceFailure{document ? "the tracker's reply is no dictionary"
                                        : "the tracker's reply cannot be read: " + document.error().what};
    }
    auto const reply = document->root();
    if (reply.find("failure reason")) {
        auto reason = find_text(reply, "failure reason");
        return make_failure(reply, reason.empty() ? "the tracker refused without saying why" : std::move(reason));
    }
    if (status != 200) return make_failure(reply, status_failure(status));
    AnnounceResponse response;
    add_peers_of(reply, "peers", false, response.peers);
    add_peers_of(reply, "peers6", true, response.peers);
    response.interval = find_seconds(reply, "interval");
    response.min_interval = find_seconds(reply, "min interval");
    response.counts = {find_count(reply, "complete"), find_count(reply, "incomplete"), find_count(reply, "downloaded")};
    response.warning = find_text(reply, "warning message");
    if (auto const id = reply.find("tracker id"))
        if (auto const text = id->text(); text && text->size() <= limit::kTrackerTextBytes) response.tracker_id = *text;
    if (auto const external = reply.find("external ip"))
        if (auto const bytes = external->bytes())
            if (auto const address = Address::from_bytes(*bytes)) response.external_address = *address;
    return response;
}

Result<Url> scrape_url(Url const& tracker, InfoHash const& info_hash) {
    constexpr std::string_view announce = "announce";
    Url url = tracker;
    auto const last = url.target.rfind('/') + 1;
    if (std::string_view(url.target).substr(last, announce.size()) != announce)
        return error(Errc::unsupported, "the tracker's URL has no `announce` to turn into `scrape`");
    url.target.replace(last, announce.size(), "scrape");
    url.target += url.target.find('?') == std::string::npos ? '?' : '&';
    url.target += "info_hash=" + percent_encode(as_text(info_hash.bytes()));
    return url;
}

ScrapeReply parse_scrape_reply(unsigned status, std::span<std::byte const> body, InfoHash const& info_hash) {
    ScrapeReply reply;
    auto const document = bencode::Document::parse(body, kReplyLimits);
    bool const dictionary = document && document->root().type() == bencode::Value::Type::dictionary;
    if (!dictionary) {
        reply.failure = status != 200 ? status_failure(status)
                        : document    ? "the tracker's reply is no dictionary"
                                      : "the tracker's reply cannot be read: " + document.error().what;
        return reply;
    }
    auto const root = document->root();
    if (auto const flags = root.find("flags")) reply.min_interval = find_seconds(*flags, "min_request_interval");
    auto const files = root.find("files");
    auto const file = files ? files->find(as_text(info_hash.bytes())) : std::nullopt;
    if (root.find("failure reason")) {
        reply.failure = find_text(root, "failure reason");
        if (reply.failure.empty()) reply.failure = "the tracker refused without saying why";
    } else if (status != 200) {
        reply.failure = status_failure(status);
    } else if (!file) {
        reply.failure = "the tracker's scrape reply does not name the torrent";
    } else {
        reply.counts = {find_count(*file, "complete"), find_count(*file, "incomplete"),
                        find_count(*file, "downloaded")};
    }
    return reply;
}

}  // namespace rqfs::torrent
