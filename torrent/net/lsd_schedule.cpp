#include "torrent/net/lsd_schedule.h"

#include "torrent/net/lsd_message.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace rqfs::torrent {

void LsdSchedule::add(InfoHash const& info_hash, TimePoint now) {
    std::erase_if(torrents_, [now](auto const& entry) { return !entry.second.wanted && now >= entry.second.due; });
    auto const [torrent, fresh] = torrents_.try_emplace(info_hash);
    torrent->second.wanted = true;
    if (fresh) torrent->second.due = now;
}

void LsdSchedule::remove(InfoHash const& info_hash) {
    auto const torrent = torrents_.find(info_hash);
    if (torrent == torrents_.end()) return;
    if (torrent->second.said)
        torrent->second.wanted = false;
    else
        torrents_.erase(torrent);
}

void LsdSchedule::announce_all() {
    for (auto& [info_hash, torrent] : torrents_)
        if (torrent.said) torrent.due = *torrent.said + kPause;
}

std::optional<TimePoint> LsdSchedule::next() const {
    std::optional<TimePoint> earliest;
    for (auto const& [info_hash, torrent] : torrents_)
        if (torrent.wanted) earliest = std::min(earliest.value_or(TimePoint::max()), torrent.due);
    if (earliest && last_) earliest = std::max(*earliest, *last_ + kPause);
    return earliest;
}

std::vector<InfoHash> LsdSchedule::take(TimePoint now) {
    if (auto const when = next(); !when || *when > now) return {};
    std::vector<std::tuple<TimePoint, InfoHash>> due;
    for (auto const& [info_hash, torrent] : torrents_)
        if (torrent.wanted && torrent.due <= now) due.emplace_back(torrent.due, info_hash);
    std::sort(due.begin(), due.end());
    due.resize(std::min(due.size(), LsdMessage::kInfoHashes));
    std::vector<InfoHash> taken;
    for (auto const& [when, info_hash] : due) {
        auto& torrent = torrents_.at(info_hash);
        torrent.said = now;
        torrent.due = now + kInterval;
        taken.push_back(info_hash);
    }
    last_ = now;
    return taken;
}

}  // namespace rqfs::torrent
