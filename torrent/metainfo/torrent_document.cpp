#include "torrent/metainfo/bencode.h"
#include "torrent/metainfo/fields.h"
#include "torrent/metainfo/metainfo.h"
#include "torrent/settings.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace rqfs::torrent {

namespace {

using bencode::Value;

// Later dates (2242 and on) would overflow the nanoseconds of system_clock; nobody means them.
constexpr std::int64_t kLatestDate = std::int64_t{1} << 33;

constexpr std::size_t kLookedAt = 64;  // bytes in which a web page shows itself

// A URL as written into a torrent by hand: spaces around it are common.
std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    auto const first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Collects URLs: each once, none empty or oversized, at most `most`.
class UrlCollector {
public:
    explicit UrlCollector(std::size_t most) : most_(most) {}

    void collect(Value value, std::vector<std::string>& into) {
        auto const url = trimmed(value.text().value_or(std::string_view()));
        if (url.empty() || url.size() > limit::kUrlBytes || seen_.size() >= most_) return;
        if (seen_.insert(url).second) into.emplace_back(url);
    }

private:
    std::size_t most_;
    std::unordered_set<std::string_view> seen_;
};

// The tiers of announce-list in order; a URL where a tier should be is a tier of its own.
std::vector<std::vector<std::string>> parse_tiers(Value root) {
    UrlCollector collector(limit::kTrackersPerTorrent);
    std::vector<std::vector<std::string>> tiers;
    auto const add_tier = [&](std::vector<Value> const& urls) {
        std::vector<std::string> tier;
        for (auto const& url : urls) collector.collect(url, tier);
        if (!tier.empty()) tiers.push_back(std::move(tier));
    };
    auto const list = root.find("announce-list");
    if (list) {
        for (auto const& tier : list->elements())
            add_tier(tier.type() == Value::Type::string ? std::vector{tier} : tier.elements());
    }
    auto const announce = root.find("announce");
    if (tiers.empty() && announce) add_tier({*announce});
    return tiers;
}

std::vector<std::string> parse_web_seeds(Value root) {
    UrlCollector collector(limit::kWebSeedsPerTorrent);
    std::vector<std::string> urls;
    auto const list = root.find("url-list");
    if (!list) return urls;
    if (list->type() == Value::Type::string) collector.collect(*list, urls);
    for (auto const& url : list->elements()) collector.collect(url, urls);
    return urls;
}

std::optional<std::chrono::sys_seconds> parse_date(Value root) {
    auto const value = root.find("creation date");
    auto const seconds = value ? value->integer() : std::nullopt;
    if (!seconds || *seconds <= 0 || *seconds > kLatestDate) return {};
    return std::chrono::sys_seconds(std::chrono::seconds(*seconds));
}

std::string parse_comment(Value root) {
    for (char const* key : {"comment.utf-8", "comment"}) {
        auto const value = root.find(key);
        if (value && value->text()) return std::string(*value->text());
    }
    return {};
}

Error no_torrent(std::string const& why) { return error(Errc::malformed, "this is not a torrent file: " + why); }

// What people most often have in hand instead of a torrent.
std::optional<Error> check_looks(std::span<std::byte const> file) {
    if (file.empty()) return no_torrent("it is empty");
    std::string_view const text(reinterpret_cast<char const*>(file.data()), file.size());
    if (trimmed(text.substr(0, kLookedAt)).starts_with('<')) return no_torrent("it looks like a web page");
    if (text.front() != 'd') return no_torrent("it does not begin with a bencoded dictionary");
    return {};
}

}  // namespace

Result<TorrentDocument> TorrentDocument::parse(std::span<std::byte const> file) {
    if (file.size() > limit::kTorrentFileBytes)
        return error(Errc::too_large, "a torrent file may have " + std::to_string(limit::kTorrentFileBytes) +
                                          " bytes, this one has " + std::to_string(file.size()));
    if (auto failure = check_looks(file)) return *std::move(failure);
    // Bytes behind the dictionary (a line feed, a copy's padding) are no part of any hash and do no harm.
    std::size_t used = 0;
    auto const document =
        bencode::Document::parse_prefix(file, {limit::kBencodeDepthTorrent, limit::kBencodeTokensTorrent}, used);
    if (!document && document.error().code == Errc::too_large)
        return error(Errc::too_large, "the torrent file is over a limit " + document.error().what);
    if (!document) return no_torrent("it is broken " + document.error().what);
    auto const root = document->root();
    auto const info = root.find("info");
    if (!info) return no_torrent("it has no info dictionary");
    auto metainfo = Metainfo::from_value(*info);
    if (!metainfo) return metainfo.error();
    TorrentDocument torrent;
    torrent.metainfo = *std::move(metainfo);
    torrent.trackers = parse_tiers(root);
    torrent.web_seeds = parse_web_seeds(root);
    torrent.created = parse_date(root);
    torrent.comment = parse_comment(root);
    return torrent;
}

}  // namespace rqfs::torrent
