#pragma once

#include "torrent/tracker/announce.h"
#include "torrent/tracker/tracker_state.h"
#include "torrent/tracker_status.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace rqfs::torrent {

// When to announce to which tracker of one torrent: tiers (BEP 12), intervals, events, backoff. Pure: time and
// randomness are arguments.
//
// Announces go in rounds: trackers are tried in their order until one succeeds, which is then heard again after its
// interval. Where a tracker works over one address family only, the other is tried again alone, and each family hears
// every event (BEP 7). Whatever a tracker answers, it gets at most one announce in 60 s over each family; `completed`
// goes out at once, but only once.
class AnnounceSchedule {
public:
    using Id = std::size_t;  // of a tracker; never used twice
    struct Job {
        Id tracker = 0;
        PerFamily<AnnounceEvent> events{};
        std::optional<bool> only_v6 = std::nullopt;  // over one family alone
        bool again = false;                          // that family failed where the other works
    };

    // Intervals are moved by at most `jitter` of themselves, so that torrents started together do not stay together.
    explicit AnnounceSchedule(std::uint64_t seed, double jitter = 0.1);

    // Adds trackers that are not there yet, at most limit::kTrackersPerTorrent in all; a new tier is shuffled once.
    // Returns the new ones.
    std::vector<Id> merge(std::vector<std::vector<std::string>> const& tiers, TimePoint now);
    // Puts the trackers into these tiers, as the user arranged them; those that `tiers` does not name are gone.
    void arrange(std::vector<std::vector<std::string>> const& tiers, TimePoint now);
    void unusable(Id tracker, std::string why);  // its URL makes no sense: never announced to
    void set_private(bool is_private) { private_ = is_private; }

    void start(TimePoint now);
    // Silent until start(); what to tell the trackers that heard `started` and did not hear `stopped`.
    std::vector<Job> stop();
    std::optional<Job> farewell(Id tracker) const;  // the same for one

    void completed();                  // all data is there now: trackers that knew us before are told
    void announce_now(TimePoint now);  // as soon as the tracker's `min interval` allows
    void urgent();                     // the first tracker of every tier at once, unless private
    // The user wants this tracker asked now, whatever its turn; or the sentence that says why it is not.
    std::optional<std::string> ask(Id tracker, TimePoint now);

    // What to announce now; each job ends in ended().
    std::vector<Job> due(TimePoint now);
    // When to ask again, should nothing happen before; the past means at once.
    std::optional<TimePoint> next() const;
    void ended(Job const& job, TimePoint now, AnnounceOutcome const& outcome);

    // The trackers that work and whose figures are old enough to ask again; each ends in scraped().
    std::vector<Id> due_scrapes(TimePoint now);
    bool begin_scrape(Id tracker, TimePoint now);  // false: it was asked a moment ago
    void scraped(Id tracker, TimePoint now, ScrapeReply const& reply);

    bool has(Id tracker) const { return trackers_.contains(tracker); }
    std::optional<Id> find(std::string const& url) const;
    std::vector<Id> ids() const;  // in the order of the tiers
    std::size_t size() const { return trackers_.size(); }
    std::string const& url(Id tracker) const { return trackers_.at(tracker).url; }
    std::string const& tracker_id(Id tracker) const { return trackers_.at(tracker).tracker_id; }
    std::vector<std::vector<std::string>> tiers() const;
    std::vector<TrackerStatus> status(TimePoint now) const;

private:
    using Standing = TrackerState::Standing;
    struct Patience;  // how long a failure keeps us away

    Patience patience(TimePoint now, TimePoint last_start, std::uint32_t failures, AnnounceFailure const& failure);
    Job begin(Id id, TimePoint now);
    Job begin(Id id, TimePoint now, PerFamily<bool> over);
    void begin_owed(TimePoint now, std::vector<Job>& jobs);
    void begin_wished(TimePoint now, std::vector<Job>& jobs);
    void begin_urgent(TimePoint now, std::vector<Job>& jobs);
    void begin_again(TimePoint now, std::vector<Job>& jobs);
    void continue_round(TimePoint now, std::vector<Job>& jobs);
    void end_round(std::optional<Id> active);
    void family_ended(TrackerState& tracker, bool v6, AnnounceEvent event, TimePoint now, AnnounceResult const& result);
    void again_ended(Job const& job, TimePoint now, AnnounceOutcome const& outcome);
    void succeeded(Id id, TimePoint now, AnnounceResponse const& response);
    void failed(Id id, TimePoint now, AnnounceFailure const& failure);
    Duration jittered(Duration duration);
    void move_to_front(Id id);
    TrackerStatus row(Id id, std::uint32_t tier, TimePoint now) const;

    std::mt19937_64 random_;
    double jitter_;
    bool private_ = false;
    bool running_ = false;
    bool urgent_ = false;
    std::map<Id, TrackerState> trackers_;
    Id next_id_ = 0;
    std::vector<std::vector<Id>> tiers_;
    std::uint64_t round_ = 0;
    bool in_round_ = false;
    std::optional<Id> round_waits_for_;
    std::optional<TimePoint> round_at_;
    std::optional<Id> active_;  // whose interval round_at_ is
};

}  // namespace rqfs::torrent
