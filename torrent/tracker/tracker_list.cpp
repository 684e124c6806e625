#include "torrent/tracker/tracker_list.h"

#include "torrent/net/url.h"
#include "torrent/limits.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <utility>

namespace rqfs::torrent {

namespace {

std::size_t count(TrackerTiers const& list) {
    std::size_t all = 0;
    for (auto const& tier : list) all += tier.size();
    return all;
}

std::map<std::string, std::string> by_key(TrackerTiers const& list) {
    std::map<std::string, std::string> known;
    for (auto const& tier : list)
        for (auto const& url : tier) known.emplace(tracker_key(url), url);
    return known;
}

std::optional<Error> unusable(std::string const& url) {
    auto const parsed = Url::parse(url);
    if (parsed) return std::nullopt;
    return error(parsed.error().code,
                 "'" + url.substr(0, limit::kTrackerTextBytes) + "' cannot be a tracker: " + parsed.error().what);
}

std::optional<Error> remove(TrackerTiers& list, std::string const& url) {
    auto const key = tracker_key(url);
    for (auto& tier : list) {
        auto const place = std::find_if(tier.begin(), tier.end(),
                                        [&](auto const& each) { return each == url || tracker_key(each) == key; });
        if (place == tier.end()) continue;
        tier.erase(place);
        std::erase_if(list, [](auto const& each) { return each.empty(); });
        return std::nullopt;
    }
    return error(Errc::not_found, "the torrent has no tracker " + url.substr(0, limit::kTrackerTextBytes));
}

}  // namespace

std::string tracker_key(std::string const& url) {
    auto const parsed = Url::parse(url);
    return parsed ? parsed->user_info + "@" + parsed->text() : url;
}

TrackerTiers merged(TrackerTiers list, TrackerTiers const& more) {
    std::set<std::string> known;
    for (auto const& [key, url] : by_key(list)) known.insert(key);
    for (auto const& tier : more) {
        std::vector<std::string> fresh;
        for (auto const& url : tier)
            if (known.size() < limit::kTrackersPerTorrent && known.insert(tracker_key(url)).second)
                fresh.push_back(url);
        if (!fresh.empty()) list.push_back(std::move(fresh));
    }
    return list;
}

Result<TrackerTiers> edited(TrackerTiers list, TrackerEdit const& edit) {
    if (edit.replace) {
        for (auto const& tier : *edit.replace)
            for (auto const& url : tier)
                if (auto bad = unusable(url)) return *bad;
        if (count(*edit.replace) > limit::kTrackersPerTorrent)
            return error(Errc::too_large,
                         "a torrent has at most " + std::to_string(limit::kTrackersPerTorrent) + " trackers");
        list = merged({}, *edit.replace);
    }
    auto const tiers = list.size();  // as the user has seen them
    for (auto const& url : edit.remove)
        if (auto bad = remove(list, url)) return *bad;
    auto known = by_key(list);
    std::vector<std::string> fresh;
    for (auto const& url : edit.add) {
        if (auto bad = unusable(url)) return *bad;
        if (!known.emplace(tracker_key(url), url).second) continue;
        if (known.size() > limit::kTrackersPerTorrent)
            return error(Errc::too_large, "the torrent has " + std::to_string(limit::kTrackersPerTorrent) +
                                              " trackers already, which is all it may have");
        if (edit.tier)
            fresh.push_back(url);
        else
            list.push_back({url});
    }
    if (fresh.empty()) return list;
    if (*edit.tier > tiers)
        return error(Errc::malformed, "there is no tier " + std::to_string(*edit.tier) +
                                          ": tiers are numbered from 0, and the next is " + std::to_string(tiers));
    if (*edit.tier >= list.size()) list.emplace_back();
    auto& tier = list[std::min<std::size_t>(*edit.tier, list.size() - 1)];
    tier.insert(tier.end(), fresh.begin(), fresh.end());
    return list;
}

std::vector<std::string> found_in(TrackerTiers const& list, std::vector<std::string> const& named) {
    auto const known = by_key(list);
    std::vector<std::string> found;
    for (auto const& url : named)
        if (auto const place = known.find(tracker_key(url)); place != known.end()) found.push_back(place->second);
    return found;
}

}  // namespace rqfs::torrent
