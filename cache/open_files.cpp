#include "cache/open_files.h"

#include <utility>

namespace rqfs::cache {

namespace {

void let_go(std::shared_ptr<StoreFile> file) { file.reset(); }

}  // namespace

FileRef OpenFiles::find(TorrentPlace const& place) {
    auto* const file = files_.use(place.key);
    return {place.path, file == nullptr ? nullptr : *file};
}

void OpenFiles::keep(TorrentKey torrent, std::shared_ptr<StoreFile> file) {
    if (file == nullptr || files_.use(torrent) != nullptr) return;
    files_.put(torrent, std::move(file), 0);
    while (files_.size() > limit_) drop(files_.oldest().key);
}

void OpenFiles::close(TorrentKey torrent) {
    if (files_.contains(torrent)) drop(torrent);
}

void OpenFiles::drop(TorrentKey torrent) {
    auto file = std::move(*files_.use(torrent));
    files_.erase(torrent);
    tasks_.spawn(workers_.run(torrent::Workers::Lane::disk, &let_go, std::move(file)));
}

}  // namespace rqfs::cache
