#include "cache/write_behind.h"

#include "cache/log.h"
#include "torrent/piece_store.h"

#include <utility>

namespace rqfs::cache {

bool WriteBehind::has_room(Torrent const& torrent) const {
    return has_room() && health(torrent).write.code == 0;
}

torrent::PieceStore::Condition WriteBehind::condition(Torrent const& torrent) const {
    auto const own = health(torrent);
    torrent::PieceStore::Condition now;
    for (auto const* const failure : {&commit_failure_, &own.sync, &write_failure_, &own.write}) {
        if (failure->full()) now.disk_full = true;
        else if (failure->code != 0) now.failure = failure->sentence;
    }
    return now;
}

// A failure counts as long as something is there that the file should take, or until it would be tried again.
WriteBehind::Health WriteBehind::health(Torrent const& torrent) const {
    auto const place = torrents_.find(&torrent);
    if (place == torrents_.end()) return {};
    auto health = place->second;
    if (health.write.code == 0 && health.sync.code == 0) return health;
    auto const waiting = waits(torrent);
    if (!waiting) health.write = {};
    if (!waiting && clock_.now() >= health.retry_at && !unsynced_.contains(place->first) && !syncing_.contains(place->first))
        health.sync = {};
    return health;
}

// What troubles all: a full disk, the database.
void WriteBehind::settle(DiskFailure& slot, DiskFailure const& outcome) {
    if (outcome.code != 0) {
        ++failures_;
        retry_at_ = clock_.now() + kRetryInterval;
    }
    auto const before = std::exchange(slot, outcome);
    if (before.code == outcome.code && (outcome.full() || before.sentence == outcome.sentence)) return;
    if (outcome.code != 0) log().warn("the disk does not take what is written error={}", outcome.sentence);
    else log().info("the disk takes what is written");
    announce();
}

// What troubles the file of one torrent, which may have gone meanwhile.
void WriteBehind::settle(Torrent* torrent, DiskFailure Health::*slot, DiskFailure const& outcome) {
    auto const place = torrents_.find(torrent);
    if (place == torrents_.end()) return;
    auto& health = place->second;
    if (outcome.code != 0) {
        ++health.failures;
        health.retry_at = clock_.now() + kRetryInterval;
    }
    auto const before = std::exchange(health.*slot, outcome);
    if (before.code == outcome.code && before.sentence == outcome.sentence) return;
    auto const name = torrent->place().info_hash.short_hex();
    if (outcome.code != 0) log().warn("a file of the store does not take what is written torrent={} error={}", name, outcome.sentence);
    else log().info("a file of the store takes what is written torrent={}", name);
    announce();
}

void WriteBehind::announce() {
    announce_ = true;
    changed_.notify();
}

}  // namespace rqfs::cache
