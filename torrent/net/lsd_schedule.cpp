#include "torrent/net/lsd_schedule.h"

#include "torrent/net/lsd_message.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <tuple>

namespace rqfs::torrent {

void LsdSchedule::add(InfoHash const& info_hash, TimePoint now) {
    forget_removed(now);
    auto const [torrent, fresh] = torrents_.try_emplace(info_hash);
    torrent->second.wanted = true;
    if (fresh) torrent->second.due = now;
}

void LsdSchedule::forget_removed(TimePoint now) {
    std::erase_if(torrents_, [now](auto const& entry) {
        return !entry.second.wanted && entry.second.said && now >= *entry.second.said + kInterval;
    });
}

void LsdSchedule::remove(InfoHash const& info_hash) {
    auto const torrent = torrents_.find(info_hash);
    if (torrent == torrents_.end()) return;
    if (torrent->second.said)
        torrent->second.wanted = false;
    else
        torrents_.erase(torrent);
}

void LsdSchedule::hurry(InfoHash const& info_hash) {
    auto const found = torrents_.find(info_hash);
    if (found == torrents_.end() || !found->second.said) return;
    auto& torrent = found->second;
    torrent.pressing = true;
    torrent.due = std::min(torrent.due, *torrent.said + kPause);
}

void LsdSchedule::announce_all() {
    for (auto& [info_hash, torrent] : torrents_)
        if (torrent.said) torrent.due = std::min(torrent.due, *torrent.said + kPause);
}

std::optional<TimePoint> LsdSchedule::next() const {
    std::optional<TimePoint> earliest;
    for (auto const& [info_hash, torrent] : torrents_) {
        auto when = torrent.wanted ? torrent.due : *torrent.said + kInterval;
        if (torrent.wanted && !torrent.any_time() && last_turn_) when = std::max(when, *last_turn_ + kPause);
        earliest = std::min(earliest.value_or(TimePoint::max()), when);
    }
    if (earliest && last_) earliest = std::max(*earliest, *last_ + kSpacing);
    return earliest;
}

// Once a minute everybody whose time has come gets a turn, so that they share datagrams.
void LsdSchedule::give_turns(TimePoint now) {
    if (last_turn_ && now < *last_turn_ + kPause) return;
    for (auto& [info_hash, torrent] : torrents_) {
        if (!torrent.wanted || torrent.due > now || torrent.any_time()) continue;
        torrent.has_turn = true;
        last_turn_ = now;
    }
}

std::vector<InfoHash> LsdSchedule::take(TimePoint now) {
    forget_removed(now);
    if (auto const when = next(); !when || *when > now) return {};
    give_turns(now);
    std::vector<std::tuple<bool, TimePoint, InfoHash>> due;  // false, which pressing ones are, comes first
    for (auto const& [info_hash, torrent] : torrents_)
        if (torrent.wanted && torrent.due <= now && torrent.any_time())
            due.emplace_back(!torrent.pressing, torrent.due, info_hash);
    std::sort(due.begin(), due.end());
    due.resize(std::min(due.size(), LsdMessage::kInfoHashes));
    std::vector<InfoHash> taken;
    for (auto const& [later, when, info_hash] : due) {
        auto& torrent = torrents_.at(info_hash);
        if (torrent.said && torrent.repeats > 0) --torrent.repeats;
        auto const repeats = static_cast<std::int64_t>(torrent.repeats);
        auto const made = static_cast<std::int64_t>(kRepeats) - repeats;
        torrent.due = now + (repeats > 0 ? Duration(kFirstRepeat * (1 + made)) : Duration(kInterval));
        torrent.said = now;
        torrent.pressing = torrent.has_turn = false;
        taken.push_back(info_hash);
    }
    last_ = now;
    return taken;
}

}  // namespace rqfs::torrent
