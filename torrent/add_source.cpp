#include "torrent/add_source.h"

#include "torrent/metainfo/magnet.h"
#include "torrent/metainfo/metainfo.h"

namespace rqfs::torrent {

Result<TorrentRecord> record_of_magnet(std::string_view uri, std::chrono::sys_seconds now) {
    auto magnet = Magnet::parse(uri);
    if (!magnet) return magnet.error();
    TorrentRecord record;
    record.info_hash = magnet->info_hash;
    record.display_name = std::move(magnet->display_name);
    for (auto& tracker : magnet->trackers) record.trackers.push_back({std::move(tracker)});
    record.web_seeds = std::move(magnet->web_seeds);
    record.magnet_peers = std::move(magnet->peers);
    record.selected_files = std::move(magnet->selected);
    record.added = now;
    return record;
}

Result<TorrentRecord> record_of_torrent_file(std::span<std::byte const> file, std::chrono::sys_seconds now) {
    auto document = TorrentDocument::parse(file);
    if (!document) return document.error();
    TorrentRecord record;
    record.info_hash = document->metainfo->info_hash();
    record.display_name = document->metainfo->name();
    record.trackers = std::move(document->trackers);
    record.web_seeds = std::move(document->web_seeds);
    auto const info = document->metainfo->info();
    record.info.assign(info.begin(), info.end());
    record.created = document->created;
    record.added = now;
    return record;
}

}  // namespace rqfs::torrent
