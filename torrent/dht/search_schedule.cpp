#include "torrent/dht/search_schedule.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rqfs::torrent {

namespace {

using namespace std::chrono_literals;

constexpr Duration kAgain = 15min;  // LT dht_announce_interval; half of how long others keep peers
constexpr Duration kSpread = 1min;
constexpr Duration kAnnounceAgain = 10min;  // a search that comes sooner does not announce
constexpr Duration kFirstRetry = 5s;        // in the first minute a swarm may just be beginning
constexpr std::size_t kEnoughReplies = 8;   // so many nodes nearest to a torrent are told of its peers (BEP 5)
constexpr Duration kFewRetry = 30s;         // by then a node that has just begun knows others
constexpr Duration kUrgentPause = 30s;      // between searches for somebody who waits
constexpr Duration kWaits = 10s;            // who waits says so again and again
constexpr std::uint32_t kPatience = 8;  // so many of them without peers, then ever later: most likely there are none

}  // namespace

bool SearchSchedule::announces(TimePoint now) const {
    return announced_ == TimePoint{} || now - announced_ >= kAnnounceAgain || few_ > 0;
}

void SearchSchedule::began() { running_ = true; }

void SearchSchedule::ended(std::size_t replies, std::size_t peers, std::size_t announces, std::uint32_t random,
                           TimePoint now) {
    running_ = false;
    ended_ = now;
    if (announces > 0) announced_ = now;
    unanswered_ = replies > 0 ? 0 : std::min(unanswered_ + 1, 16u);
    if (replies > 0) fruitless_ = peers > 0 ? 0 : std::min(fruitless_ + 1, 16u);
    if (replies > 0) few_ = replies >= kEnoughReplies ? 0 : std::min(few_ + 1, 16u);
    auto const jitter = kSpread * (random % 1000) / 1000;
    auto pause = kAgain + jitter;
    auto const retry = [&](std::uint32_t times, Duration first) {
        if (times > 0) pause = std::min(pause, std::min(first * (1u << (times - 1)), kAgain) + jitter / 20);
    };
    retry(in_vain(), kFirstRetry);
    retry(few_, kFewRetry);
    due_ = now + pause;
    if (unanswered_ > 0 && nodes_came_) due_ = now;
    nodes_came_ = false;
    if (std::exchange(told_old_, false)) announce_again(now);
}

void SearchSchedule::announce_again(TimePoint now) {
    announced_ = TimePoint{};
    due_ = std::min(due_, now);
    told_old_ = running_;
}

bool SearchSchedule::hurry(TimePoint now) {
    bool const waits = waited_for(now).has_value();
    if (!waits) waited_since_ = now;
    waited_until_ = now + kWaits;
    auto const pause = std::min(kUrgentPause * (1u << (std::max(in_vain(), kPatience) - kPatience)), kAgain);
    auto const due = std::min(due_, ended_ == TimePoint{} ? now : std::max(now, ended_ + pause));
    bool const sooner = due < due_;
    due_ = due;
    return sooner || !waits;
}

std::optional<TimePoint> SearchSchedule::waited_for(TimePoint now) const {
    return now < waited_until_ ? std::optional(waited_since_) : std::nullopt;
}

void SearchSchedule::nodes_known(TimePoint now) {
    nodes_came_ = running_;
    if (unanswered_ > 0) due_ = std::min(due_, now);
    unanswered_ = 0;
}

}  // namespace rqfs::torrent
