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

// Figures are for people, who need no newer ones; libtorrent's scrape_interval is 30 minutes, but nobody looks there.
constexpr seconds kScrapeInterval{300};

seconds believed(seconds asked) { return std::clamp(asked, limit::kMinAnnounceInterval, limit::kMaxAnnounceInterval); }

seconds asked_interval(AnnounceResponse const& response) {
    return believed(response.interval.value_or(limit::kDefaultAnnounceInterval));
}

// Until it may be asked out of turn.
seconds least_wait(AnnounceResponse const& response) {
    return response.min_interval ? believed(*response.min_interval)
                                 : std::min(asked_interval(response), limit::kEarlyAnnounce);
}

void take_counts(TrackerState& tracker, ScrapeResult const& counts) {
    if (counts.seeders) tracker.counts.seeders = counts.seeders;
    if (counts.leechers) tracker.counts.leechers = counts.leechers;
    if (counts.downloads) tracker.counts.downloads = counts.downloads;
}

Duration backoff(std::uint32_t failures) {
    auto const n = static_cast<std::int64_t>(std::min<std::uint32_t>(failures, 100));
    return std::min<Duration>(kBackoffBase + n * n * kBackoffFactor, kMaxBackoff);
}

}  // namespace

struct AnnounceSchedule::Patience {
    TimePoint not_before;  // our own turn
    TimePoint early_from;  // the user's wish
};

AnnounceSchedule::AnnounceSchedule(std::uint64_t seed, double jitter) : random_(seed), jitter_(jitter) {}

void AnnounceSchedule::start(TimePoint now) {
    running_ = true;
    for (auto& [id, tracker] : trackers_) tracker.restart();
    end_round(std::nullopt);
    round_at_ = now;
}

std::optional<AnnounceSchedule::Job> AnnounceSchedule::farewell(Id id) const {
    auto const& tracker = trackers_.at(id);
    if (!tracker.heard_started()) return std::nullopt;
    Job job;
    job.tracker = id;
    job.events = {AnnounceEvent::stopped, AnnounceEvent::stopped};
    bool const both = tracker.families[false].heard_started && tracker.families[true].heard_started;
    if (!both) job.only_v6 = tracker.families[true].heard_started;
    return job;
}

std::vector<AnnounceSchedule::Job> AnnounceSchedule::stop() {
    std::vector<Job> told;
    for (auto& [id, tracker] : trackers_) {
        if (auto const job = farewell(id)) told.push_back(*job);
        tracker.announcing = tracker.wished = tracker.scraping = false;
        for (auto& family : tracker.families) family.heard_started = false;
    }
    end_round(std::nullopt);
    round_at_.reset();
    running_ = urgent_ = false;
    return told;
}

void AnnounceSchedule::completed() {
    // Whoever hears of us only now hears that nothing is left, which says the same (BEP 3).
    for (auto& [id, tracker] : trackers_)
        for (auto& family : tracker.families) family.owes_completed = family.heard_started;
}

void AnnounceSchedule::announce_now(TimePoint now) {
    if (!running_ || !active_ || in_round_) return;
    round_at_ = std::max(now, trackers_.at(*active_).early_from);
}

void AnnounceSchedule::urgent() { urgent_ = running_ && !private_; }

std::optional<std::string> AnnounceSchedule::ask(Id id, TimePoint now) {
    auto& tracker = trackers_.at(id);
    if (tracker.standing == Standing::unusable) return tracker.url + " cannot be asked: " + tracker.message;
    if (tracker.never) return tracker.url + " told us never to ask again: " + tracker.message;
    if (tracker.announcing && !tracker.again) return std::nullopt;  // it is being asked this moment
    if (now < tracker.early_from) {
        auto const wait = std::chrono::ceil<seconds>(tracker.early_from - now).count();
        return tracker.url + " may be asked again in " + std::to_string(wait) + " s";
    }
    tracker.wished = true;
    tracker.not_before = TimePoint::min();
    return std::nullopt;
}

// Over both families but one that failed a moment ago while the other works.
AnnounceSchedule::Job AnnounceSchedule::begin(Id id, TimePoint now) {
    auto const& tracker = trackers_.at(id);
    PerFamily<bool> over{true, true};
    for (bool const v6 : {false, true})
        over[v6] = tracker.standing != Standing::working || now >= tracker.families[v6].not_before;
    return begin(id, now, over);
}

AnnounceSchedule::Job AnnounceSchedule::begin(Id id, TimePoint now, PerFamily<bool> over) {
    auto& tracker = trackers_.at(id);
    tracker.announcing = true;
    tracker.again = tracker.wished = false;
    tracker.last_start = now;
    Job job;
    job.tracker = id;
    if (over[false] != over[true]) job.only_v6 = over[true];
    for (bool const v6 : {false, true}) {
        auto const& family = tracker.families[v6];
        job.events[v6] = !family.heard_started   ? AnnounceEvent::started
                         : family.owes_completed ? AnnounceEvent::completed
                                                 : AnnounceEvent::none;
    }
    return job;
}

void AnnounceSchedule::begin_owed(TimePoint now, std::vector<Job>& jobs) {
    for (auto const& [id, tracker] : trackers_) {
        PerFamily<bool> owed{};
        for (bool const v6 : {false, true})
            owed[v6] = tracker.families[v6].owes_completed && now >= tracker.families[v6].not_before;
        if ((owed[false] || owed[true]) && tracker.may_announce(now)) jobs.push_back(begin(id, now, owed));
    }
}

void AnnounceSchedule::begin_wished(TimePoint now, std::vector<Job>& jobs) {
    for (auto& [id, tracker] : trackers_) {
        if (!tracker.wished || !tracker.may_announce(now)) continue;
        tracker.wished = false;
        // A family that was tried again since the wish has had its announce.
        PerFamily<bool> const over{now >= tracker.families[false].early_from, now >= tracker.families[true].early_from};
        if (over[false] || over[true]) jobs.push_back(begin(id, now, over));
    }
}

void AnnounceSchedule::begin_urgent(TimePoint now, std::vector<Job>& jobs) {
    for (auto const& tier : tiers_) {
        auto const first = std::find_if(tier.begin(), tier.end(),
                                        [&](Id id) { return trackers_.at(id).standing != Standing::unusable; });
        if (first == tier.end()) continue;
        auto const& tracker = trackers_.at(*first);
        if (tracker.may_announce(now) && now >= tracker.early_from) jobs.push_back(begin(*first, now));
    }
}

void AnnounceSchedule::begin_again(TimePoint now, std::vector<Job>& jobs) {
    if (!active_ || !trackers_.at(*active_).may_announce(now)) return;
    for (bool const v6 : {false, true}) {
        auto const& family = trackers_.at(*active_).families[v6];
        if (!family.failing || now < family.not_before) continue;
        jobs.push_back(begin(*active_, now, {!v6, v6}));
        jobs.back().again = trackers_.at(*active_).again = true;
        return;
    }
}

std::vector<AnnounceSchedule::Job> AnnounceSchedule::due(TimePoint now) {
    std::vector<Job> jobs;
    if (!running_) return jobs;
    begin_owed(now, jobs);
    begin_wished(now, jobs);
    if (std::exchange(urgent_, false)) begin_urgent(now, jobs);
    // Twice: the first may only find that its round is over, and the next round may be due by now.
    for (int i = 0; i < 2; ++i)
        if (round_at_ && *round_at_ <= now && !round_waits_for_) continue_round(now, jobs);
    begin_again(now, jobs);
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
            auto& tracker = trackers_.at(id);
            if (tracker.round == round_ || tracker.standing == Standing::unusable) continue;
            tracker.round = round_;
            if (tracker.announcing) {  // for another reason; its result serves the round too
                round_waits_for_ = id;
                return;
            }
            if (!tracker.may_announce(now)) continue;
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
        round_at_ = trackers_.at(*active).next;
        return;
    }
    for (auto const& [id, tracker] : trackers_)
        if (tracker.standing != Standing::unusable && !tracker.never && !tracker.announcing)
            round_at_ = round_at_ ? std::min(*round_at_, tracker.not_before) : tracker.not_before;
}

std::optional<TimePoint> AnnounceSchedule::next() const {
    if (!running_) return std::nullopt;
    if (urgent_) return TimePoint::min();
    std::optional<TimePoint> when;
    if (!round_waits_for_) when = round_at_;
    auto const no_later = [&](TimePoint time) { when = std::min(when.value_or(TimePoint::max()), time); };
    for (auto const& [id, tracker] : trackers_) {
        if (tracker.announcing || tracker.never || tracker.standing == Standing::unusable) continue;
        if (tracker.wished) no_later(tracker.not_before);
        for (auto const& family : tracker.families) {
            bool const again = family.failing && active_ == id;
            if ((family.owes_completed || again) && family.not_before != TimePoint::max())
                no_later(std::max(tracker.not_before, family.not_before));
        }
    }
    return when;
}

void AnnounceSchedule::ended(Job const& job, TimePoint now, AnnounceOutcome const& outcome) {
    auto const found = trackers_.find(job.tracker);
    if (found == trackers_.end()) return;  // the user took it out
    auto& tracker = found->second;
    tracker.announcing = false;
    for (bool const v6 : {false, true})
        if (auto const& result = outcome.families[v6]) family_ended(tracker, v6, job.events[v6], now, *result);
    if (job.again)
        again_ended(job, now, outcome);
    else if (outcome.all)
        succeeded(job.tracker, now, *outcome.all);
    else
        failed(job.tracker, now, outcome.all.error());
}

void AnnounceSchedule::family_ended(TrackerState& tracker, bool v6, AnnounceEvent event, TimePoint now,
                                    AnnounceResult const& result) {
    auto& family = tracker.families[v6];
    family.announced = true;
    family.failing = !result;
    if (!result) {
        ++family.failures;
        family.message = result.error().what;
        auto const wait = patience(now, tracker.last_start, family.failures, result.error());
        family.early_from = wait.early_from;
        family.not_before = result.error().never ? TimePoint::max() : wait.not_before;
        return;
    }
    family.failures = 0;
    family.not_before = TimePoint::min();
    family.early_from = now + least_wait(*result);
    family.heard_started = true;
    if (event == AnnounceEvent::completed) family.owes_completed = false;
    family.message = result->warning;
    family.peers = static_cast<std::uint32_t>(result->peers.size());
}

// The tracker works over its other family, whatever came of this one.
void AnnounceSchedule::again_ended(Job const& job, TimePoint now, AnnounceOutcome const& outcome) {
    auto& tracker = trackers_.at(job.tracker);
    if (!outcome.families[*job.only_v6])
        tracker.families[*job.only_v6].failing = false;  // there is no such way any more
    if (outcome.all) {
        take_counts(tracker, outcome.all->counts);
        tracker.early_from = std::max(tracker.early_from, now + least_wait(*outcome.all));
        tracker.next = std::max(tracker.next, tracker.early_from);
        if (active_ == job.tracker && !in_round_ && round_at_) round_at_ = std::max(*round_at_, tracker.early_from);
    }
    if (round_waits_for_ != job.tracker) return;
    round_waits_for_.reset();  // the round tries it over both
    tracker.round = 0;
}

void AnnounceSchedule::succeeded(Id id, TimePoint now, AnnounceResponse const& response) {
    auto& tracker = trackers_.at(id);
    tracker.standing = Standing::working;
    tracker.failures = 0;
    tracker.not_before = TimePoint::min();
    tracker.message = response.warning;
    if (!response.tracker_id.empty()) tracker.tracker_id = response.tracker_id;
    take_counts(tracker, response.counts);
    auto const asked = asked_interval(response);
    tracker.early_from = now + least_wait(response);
    tracker.next = std::max(now + std::min<Duration>(jittered(asked), limit::kMaxAnnounceInterval), tracker.early_from);
    move_to_front(id);
    if (round_waits_for_ == id || active_ == id || (!active_ && !in_round_)) end_round(id);
}

AnnounceSchedule::Patience AnnounceSchedule::patience(TimePoint now, TimePoint last_start, std::uint32_t failures,
                                                      AnnounceFailure const& failure) {
    // Somebody who answers with nonsense is asked no more often than somebody who answers.
    auto early = failure.reached ? last_start + limit::kMinAnnounceInterval : now;
    if (failure.retry_in)
        early = std::max(early, now + std::min<Duration>(*failure.retry_in, limit::kMaxAnnounceInterval));
    auto const later = now + std::min<Duration>(jittered(backoff(failures)), kMaxBackoff);
    return {std::max<TimePoint>(early, later), early};
}

void AnnounceSchedule::failed(Id id, TimePoint now, AnnounceFailure const& failure) {
    auto& tracker = trackers_.at(id);
    tracker.standing = Standing::failed;
    tracker.message = failure.what;
    tracker.never = failure.never;
    ++tracker.failures;
    auto const wait = patience(now, tracker.last_start, tracker.failures, failure);
    tracker.not_before = wait.not_before;
    tracker.early_from = wait.early_from;
    if (round_waits_for_ == id)
        round_waits_for_.reset();  // due() goes on with the next
    else if (active_ == id)
        round_at_ = now;  // it no longer works: find another
    else if (!active_ && !in_round_)
        end_round(std::nullopt);
}

std::vector<AnnounceSchedule::Id> AnnounceSchedule::due_scrapes(TimePoint now) {
    std::vector<Id> due;
    for (auto const id : ids())
        if (running_ && trackers_.at(id).standing == Standing::working && begin_scrape(id, now)) due.push_back(id);
    return due;
}

bool AnnounceSchedule::begin_scrape(Id id, TimePoint now) {
    auto const found = trackers_.find(id);
    if (found == trackers_.end() || found->second.scraping || now < found->second.scrape_from) return false;
    found->second.scraping = true;
    return true;
}

void AnnounceSchedule::scraped(Id id, TimePoint now, ScrapeReply const& reply) {
    auto const found = trackers_.find(id);
    if (found == trackers_.end()) return;  // the user took it out
    auto& tracker = found->second;
    tracker.scraping = false;
    tracker.scrape_from =
        now + std::clamp(reply.min_interval.value_or(kScrapeInterval), kScrapeInterval, limit::kMaxAnnounceInterval);
    tracker.scrape_message = reply.failure;
    take_counts(tracker, reply.counts);
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

}  // namespace rqfs::torrent
