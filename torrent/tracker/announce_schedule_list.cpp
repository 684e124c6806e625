// The trackers of a schedule: how they come, how they go, what is shown of them.
#include "torrent/limits.h"
#include "torrent/tracker/announce_schedule.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

namespace rqfs::torrent {

namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

}  // namespace

std::optional<AnnounceSchedule::Id> AnnounceSchedule::find(std::string const& url) const {
    for (auto const& [id, tracker] : trackers_)
        if (tracker.url == url) return id;
    return std::nullopt;
}

std::vector<AnnounceSchedule::Id> AnnounceSchedule::merge(std::vector<std::vector<std::string>> const& tiers,
                                                          TimePoint now) {
    std::set<std::string> known;
    for (auto const& [id, tracker] : trackers_) known.insert(tracker.url);
    std::vector<Id> added;
    for (auto const& tier : tiers) {
        std::vector<Id> ids;
        for (auto const& url : tier) {
            if (trackers_.size() >= limit::kTrackersPerTorrent || !known.insert(url).second) continue;
            ids.push_back(next_id_++);
            trackers_[ids.back()].url = url;
        }
        if (ids.empty()) continue;
        added.insert(added.end(), ids.begin(), ids.end());
        std::shuffle(ids.begin(), ids.end(), random_);
        tiers_.push_back(std::move(ids));
    }
    if (!added.empty() && running_ && !active_ && !in_round_) round_at_ = now;
    return added;
}

void AnnounceSchedule::arrange(std::vector<std::vector<std::string>> const& tiers, TimePoint now) {
    std::map<std::string, std::size_t> wanted;  // url to tier
    for (std::size_t tier = 0; tier < tiers.size(); ++tier)
        for (auto const& url : tiers[tier]) wanted.emplace(url, tier);
    std::vector<std::vector<Id>> arranged(tiers.size());
    for (auto const id : ids()) {  // within a tier the order stays, as what works is in front
        auto const found = wanted.find(url(id));
        if (found != wanted.end()) {
            arranged[found->second].push_back(id);
            continue;
        }
        trackers_.erase(id);
        if (round_waits_for_ == id) round_waits_for_.reset();
        if (active_ != id) continue;
        active_.reset();
        round_at_ = now;
    }
    std::erase_if(arranged, [](auto const& tier) { return tier.empty(); });
    tiers_ = std::move(arranged);
    if (running_ && !active_ && !in_round_) end_round(std::nullopt);
}

void AnnounceSchedule::unusable(Id tracker, std::string why) {
    trackers_.at(tracker).standing = Standing::unusable;
    trackers_.at(tracker).message = std::move(why);
}

std::vector<AnnounceSchedule::Id> AnnounceSchedule::ids() const {
    std::vector<Id> all;
    for (auto const& tier : tiers_) all.insert(all.end(), tier.begin(), tier.end());
    return all;
}

std::vector<std::vector<std::string>> AnnounceSchedule::tiers() const {
    std::vector<std::vector<std::string>> all;
    for (auto const& tier : tiers_) {
        auto& urls = all.emplace_back();
        for (auto const id : tier) urls.push_back(url(id));
    }
    return all;
}

std::vector<TrackerStatus> AnnounceSchedule::status(TimePoint now) const {
    std::vector<TrackerStatus> all;
    for (std::uint32_t tier = 0; tier < tiers_.size(); ++tier)
        for (auto const id : tiers_[tier]) all.push_back(row(id, tier, now));
    return all;
}

TrackerStatus AnnounceSchedule::row(Id id, std::uint32_t tier, TimePoint now) const {
    auto const& tracker = trackers_.at(id);
    TrackerStatus row;
    row.url = tracker.url;
    row.tier = tier;
    row.message = tracker.message;
    row.seeders = tracker.counts.seeders;
    row.leechers = tracker.counts.leechers;
    row.downloads = tracker.counts.downloads;
    row.scrape_message = tracker.scrape_message;
    bool const bad = tracker.standing == Standing::failed || tracker.standing == Standing::unusable;
    bool const announcing = (tracker.announcing && !tracker.again) || tracker.wished;
    row.state = announcing                              ? "announcing"
                : bad                                   ? "failed"
                : tracker.standing == Standing::working ? "working"
                                                        : "not contacted";
    for (bool const v6 : {false, true}) {
        auto const& family = tracker.families[v6];
        if (!family.announced) continue;
        row.peers += family.peers;
        row.families.push_back({v6, family.failing ? "failed" : "working", family.message, family.peers});
    }
    if (!running_ || announcing || tracker.never || tracker.standing == Standing::unusable) return row;
    std::optional<TimePoint> when;
    if (active_ == id) when = round_at_;
    if (tracker.standing == Standing::failed && !active_) when = tracker.not_before;
    if (when) row.next_announce = duration_cast<seconds>(std::max(*when - now, Duration::zero()));
    return row;
}

}  // namespace rqfs::torrent
