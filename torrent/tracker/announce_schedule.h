#pragma once

#include "torrent/status.h"
#include "torrent/tracker/announce.h"
#include "torrent/units.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace rqfs::torrent {

// When to announce to which tracker of one torrent: tiers (BEP 12), intervals, events, backoff. Pure: time and
// randomness are arguments.
//
// Announces go in rounds: trackers are tried in their order until one succeeds, which is then heard again after its
// interval. Whatever a tracker answers, it gets at most one announce in 60 s from rounds; `completed` goes out at once,
// but only once.
class AnnounceSchedule {
public:
    using Id = std::size_t;  // of a tracker; never used twice
    struct Job {
        Id tracker = 0;
        AnnounceEvent event = AnnounceEvent::none;
    };

    // Intervals are moved by at most `jitter` of themselves, so that torrents started together do not stay together.
    explicit AnnounceSchedule(std::uint64_t seed, double jitter = 0.1);

    // Adds trackers that are not there yet, at most limit::kTrackersPerTorrent in all; a new tier is shuffled once.
    void merge(std::vector<std::vector<std::string>> const& tiers, TimePoint now);
    void unusable(Id tracker, std::string why);  // its URL makes no sense: never announced to
    void set_private(bool is_private) { private_ = is_private; }

    void start(TimePoint now);
    // Silent until start(); the trackers that heard `started` and did not hear `stopped`.
    std::vector<Id> stop();

    void completed();                  // all data is there now: trackers that knew us before are told
    void announce_now(TimePoint now);  // as soon as the tracker's `min interval` allows
    void urgent();                     // the first tracker of every tier at once, unless private

    // What to announce now; each job ends in succeeded() or failed().
    std::vector<Job> due(TimePoint now);
    // When to ask again, should nothing happen before; the past means at once.
    std::optional<TimePoint> next() const;

    void succeeded(Id tracker, TimePoint now, AnnounceEvent event, AnnounceResponse const& response);
    void failed(Id tracker, TimePoint now, AnnounceFailure const& failure);
    void scraped(Id tracker, ScrapeResult const& counts);

    std::size_t size() const { return trackers_.size(); }
    std::string const& url(Id tracker) const { return trackers_[tracker].url; }
    std::string const& tracker_id(Id tracker) const { return trackers_[tracker].tracker_id; }
    std::vector<std::vector<std::string>> tiers() const;
    std::vector<TrackerStatus> status(TimePoint now) const;

private:
    enum class Standing { not_contacted, working, failed, unusable };
    struct Tracker {
        std::string url;
        Standing standing = Standing::not_contacted;
        bool announcing = false;
        bool never = false;  // told us to stay away
        bool heard_started = false;
        bool owes_completed = false;
        std::uint32_t failures = 0;  // in a row
        std::uint64_t round = 0;     // the last that tried it
        TimePoint last_start = TimePoint::min();
        TimePoint not_before = TimePoint::min();  // after failures
        TimePoint early_from = TimePoint::min();  // `min interval`
        TimePoint next = TimePoint::min();        // its interval
        std::string message;
        std::string tracker_id;
        std::uint32_t peers = 0;
        ScrapeResult counts;
    };

    bool may_announce(Tracker const& tracker, TimePoint now) const;
    Job begin(Id id, TimePoint now);
    void continue_round(TimePoint now, std::vector<Job>& jobs);
    void end_round(std::optional<Id> active);
    Duration jittered(Duration duration);
    void move_to_front(Id id);

    std::mt19937_64 random_;
    double jitter_;
    bool private_ = false;
    bool running_ = false;
    bool urgent_ = false;
    std::vector<Tracker> trackers_;
    std::vector<std::vector<Id>> tiers_;
    std::uint64_t round_ = 0;
    bool in_round_ = false;
    std::optional<Id> round_waits_for_;
    std::optional<TimePoint> round_at_;
    std::optional<Id> active_;  // whose interval round_at_ is
};

}  // namespace rqfs::torrent
