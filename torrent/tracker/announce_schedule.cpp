#include "torrent/tracker/announce_schedule.h"

#include "torrent/settings.h"

#include <algorithm>
#include <utility>

namespace rqfs::torrent {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

// libtorrent's tracker_backoff of 250 %: 5 + n^2 * 5 * 2.5 seconds.
constexpr seconds kBackoffBase{5};
constexpr milliseconds kBackoffFactor{12'500};
constexpr seconds kMaxBackoff{3600};

seconds believed(seconds asked) { return std::clamp(asked, limit::kMinAnnounceInterval, limit::kMaxAnnounceInterval); }

Duration backoff(std::uint32_t failures) {
    auto const n = static_cast<std::int64_t>(std::min<std::uint32_t>(failures, 100));
    return std::min<Duration>(kBackoffBase + n * n * kBackoffFactor, kMaxBackoff);
}

}  // namespace

AnnounceSchedule::AnnounceSchedule(std::uint64_t seed, double jitter) : random_(seed), jitter_(jitter) {}

void AnnounceSchedule::merge(std::vector<std::vector<std::string>> const& tiers, TimePoint now) {
    bool added = false;
    for (auto const& tier : tiers) {
        std::vector<Id> ids;
        for (auto const& url : tier) {
            bool const known =
                std::any_of(trackers_.begin(), trackers_.end(), [&](auto const& each) { return each.url == url; });
            if (known || trackers_.size() >= limit::kTrackersPerTorrent) continue;
            ids.push_back(trackers_.size());
            trackers_.emplace_back().url = url;
        }
        if (ids.empty()) continue;
        std::shuffle(ids.begin(), ids.end(), random_);
        tiers_.push_back(std::move(ids));
        added = true;
    }
    if (added && running_ && !active_ && !in_round_) round_at_ = now;
}

void AnnounceSchedule::unusable(Id tracker, std::string why) {
    trackers_[tracker].standing = Standing::unusable;
    trackers_[tracker].message = std::move(why);
}

void AnnounceSchedule::start(TimePoint now) {
    running_ = true;
    for (auto& tracker : trackers_) {
        tracker.heard_started = tracker.owes_completed = tracker.never = tracker.announcing = false;
        tracker.failures = 0;
        tracker.not_before = tracker.early_from = tracker.next = TimePoint::min();
        tracker.tracker_id.clear();
        if (tracker.standing != Standing::unusable) tracker.standing = Standing::not_contacted;
    }
    end_round(std::nullopt);
    round_at_ = now;
}

std::vector<AnnounceSchedule::Id> AnnounceSchedule::stop() {
    std::vector<Id> told;
    for (Id id = 0; id < trackers_.size(); ++id) {
        if (trackers_[id].heard_started) told.push_back(id);
        trackers_[id].announcing = trackers_[id].heard_started = false;
    }
    end_round(std::nullopt);
    round_at_.reset();
    running_ = urgent_ = false;
    return told;
}

void AnnounceSchedule::completed() {
    // Whoever hears of us only now hears that nothing is left, which says the same (BEP 3).
    for (auto& tracker : trackers_) tracker.owes_completed = tracker.heard_started;
}

void AnnounceSchedule::announce_now(TimePoint now) {
    if (!running_ || !active_ || in_round_) return;
    round_at_ = std::max(now, trackers_[*active_].early_from);
}

void AnnounceSchedule::urgent() { urgent_ = running_ && !private_; }

bool AnnounceSchedule::may_announce(Tracker const& tracker, TimePoint now) const {
    return tracker.standing != Standing::unusable && !tracker.announcing && !tracker.never && now >= tracker.not_before;
}

AnnounceSchedule::Job AnnounceSchedule::begin(Id id, TimePoint now) {
    auto& tracker = trackers_[id];
    tracker.announcing = true;
    tracker.last_start = now;
    if (!tracker.heard_started) return {id, AnnounceEvent::started};
    return {id, tracker.owes_completed ? AnnounceEvent::completed : AnnounceEvent::none};
}

std::vector<AnnounceSchedule::Job> AnnounceSchedule::due(TimePoint now) {
    std::vector<Job> jobs;
    if (!running_) return jobs;
    for (Id id = 0; id < trackers_.size(); ++id)
        if (trackers_[id].owes_completed && may_announce(trackers_[id], now)) jobs.push_back(begin(id, now));
    if (std::exchange(urgent_, false)) {
        for (auto const& tier : tiers_) {
            auto const first = std::find_if(tier.begin(), tier.end(),
                                            [&](Id id) { return trackers_[id].standing != Standing::unusable; });
            if (first == tier.end()) continue;
            auto const& tracker = trackers_[*first];
            if (may_announce(tracker, now) && now >= tracker.early_from) jobs.push_back(begin(*first, now));
        }
    }
    // Twice: the first may only find that its round is over, and the next round may be due by now.
    for (int i = 0; i < 2; ++i)
        if (round_at_ && *round_at_ <= now && !round_waits_for_) continue_round(now, jobs);
    return jobs;
}

// The next tracker in order that this round has not tried.
void AnnounceSchedule::continue_round(TimePoint now, std::vector<Job>& jobs) {
    if (!in_round_) {
        in_round_ = true;
        ++round_;
    }
    for (auto const& tier : tiers_) {
        for (auto const id : tier) {
            auto& tracker = trackers_[id];
            if (tracker.round == round_ || tracker.standing == Standing::unusable) continue;
            tracker.round = round_;
            if (tracker.announcing) {  // for another reason; its result serves the round too
                round_waits_for_ = id;
                return;
            }
            if (!may_announce(tracker, now)) continue;
            if (tracker.standing == Standing::working &&
                now < tracker.early_from) {  // heard a moment ago for another reason
                end_round(id);
                return;
            }
            round_waits_for_ = id;
            jobs.push_back(begin(id, now));
            return;
        }
    }
    end_round(std::nullopt);
}

// With a tracker that works, or with none: then again when the first may be tried.
void AnnounceSchedule::end_round(std::optional<Id> active) {
    in_round_ = false;
    round_waits_for_.reset();
    active_ = active;
    round_at_.reset();
    if (active) {
        round_at_ = trackers_[*active].next;
        return;
    }
    for (auto const& tracker : trackers_)
        if (tracker.standing != Standing::unusable && !tracker.never && !tracker.announcing)
            round_at_ = round_at_ ? std::min(*round_at_, tracker.not_before) : tracker.not_before;
}

std::optional<TimePoint> AnnounceSchedule::next() const {
    if (!running_) return std::nullopt;
    if (urgent_) return TimePoint::min();
    std::optional<TimePoint> when;
    if (!round_waits_for_) when = round_at_;
    for (auto const& tracker : trackers_)
        if (tracker.owes_completed && !tracker.announcing && !tracker.never)
            when = std::min(when.value_or(TimePoint::max()), tracker.not_before);
    return when;
}

void AnnounceSchedule::succeeded(Id id, TimePoint now, AnnounceEvent event, AnnounceResponse const& response) {
    auto& tracker = trackers_[id];
    tracker.announcing = false;
    tracker.standing = Standing::working;
    tracker.failures = 0;
    tracker.not_before = TimePoint::min();
    tracker.heard_started = true;
    if (event == AnnounceEvent::completed) tracker.owes_completed = false;
    tracker.message = response.warning;
    if (!response.tracker_id.empty()) tracker.tracker_id = response.tracker_id;
    tracker.peers = static_cast<std::uint32_t>(response.peers.size());
    scraped(id, response.counts);
    auto const asked = believed(response.interval.value_or(limit::kDefaultAnnounceInterval));
    auto const least =
        response.min_interval ? believed(*response.min_interval) : std::min(asked, limit::kEarlyAnnounce);
    tracker.early_from = now + least;
    tracker.next = std::max(now + std::min<Duration>(jittered(asked), limit::kMaxAnnounceInterval), tracker.early_from);
    move_to_front(id);
    if (round_waits_for_ == id || active_ == id || (!active_ && !in_round_)) end_round(id);
}

void AnnounceSchedule::failed(Id id, TimePoint now, AnnounceFailure const& failure) {
    auto& tracker = trackers_[id];
    tracker.announcing = false;
    tracker.standing = Standing::failed;
    tracker.message = failure.what;
    tracker.never = failure.never;
    ++tracker.failures;
    tracker.not_before = now + std::min<Duration>(jittered(backoff(tracker.failures)), kMaxBackoff);
    // Somebody who answers with nonsense is asked no more often than somebody who answers.
    if (failure.reached)
        tracker.not_before = std::max(tracker.not_before, tracker.last_start + limit::kMinAnnounceInterval);
    if (failure.retry_in)
        tracker.not_before =
            std::max(tracker.not_before, now + std::min<Duration>(*failure.retry_in, limit::kMaxAnnounceInterval));
    if (round_waits_for_ == id)
        round_waits_for_.reset();  // due() goes on with the next
    else if (active_ == id)
        round_at_ = now;  // it no longer works: find another
    else if (!active_ && !in_round_)
        end_round(std::nullopt);
}

void AnnounceSchedule::scraped(Id id, ScrapeResult const& counts) {
    auto& known = trackers_[id].counts;
    if (counts.seeders) known.seeders = counts.seeders;
    if (counts.leechers) known.leechers = counts.leechers;
    if (counts.downloads) known.downloads = counts.downloads;
}

Duration AnnounceSchedule::jittered(Duration duration) {
    std::uniform_real_distribution<double> spread(-jitter_, jitter_);
    auto const factor = jitter_ > 0 ? 1 + spread(random_) : 1.0;
    return duration_cast<Duration>(std::chrono::duration<double>(duration) * factor);
}

void AnnounceSchedule::move_to_front(Id id) {
    for (auto& tier : tiers_) {
        auto const place = std::find(tier.begin(), tier.end(), id);
        if (place != tier.end()) std::rotate(tier.begin(), place, place + 1);
    }
}

std::vector<std::vector<std::string>> AnnounceSchedule::tiers() const {
    std::vector<std::vector<std::string>> all;
    for (auto const& tier : tiers_) {
        auto& urls = all.emplace_back();
        for (auto const id : tier) urls.push_back(trackers_[id].url);
    }
    return all;
}

std::vector<TrackerStatus> AnnounceSchedule::status(TimePoint now) const {
    std::vector<TrackerStatus> all;
    for (std::uint32_t tier = 0; tier < tiers_.size(); ++tier) {
        for (auto const id : tiers_[tier]) {
            auto const& tracker = trackers_[id];
            auto& row = all.emplace_back();
            row.url = tracker.url;
            row.tier = tier;
            row.message = tracker.message;
            row.peers = tracker.peers;
            row.seeders = tracker.counts.seeders;
            row.leechers = tracker.counts.leechers;
            row.downloads = tracker.counts.downloads;
            bool const bad = tracker.standing == Standing::failed || tracker.standing == Standing::unusable;
            row.state = tracker.announcing                      ? "announcing"
                        : bad                                   ? "failed"
                        : tracker.standing == Standing::working ? "working"
                                                                : "not contacted";
            if (!running_ || tracker.announcing || tracker.never || tracker.standing == Standing::unusable) continue;
            std::optional<TimePoint> when;
            if (active_ == id) when = round_at_;
            if (tracker.standing == Standing::failed && !active_) when = tracker.not_before;
            if (when) row.next_announce = duration_cast<seconds>(std::max(*when - now, Duration::zero()));
        }
    }
    return all;
}

}  // namespace rqfs::torrent
