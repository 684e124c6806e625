#include "torrent/status.h"

namespace rqfs::torrent {

std::string_view name(TorrentState state) {
    switch (state) {
        case TorrentState::metadata: return "metadata";
        case TorrentState::checking: return "checking";
        case TorrentState::idle: return "idle";
        case TorrentState::downloading: return "downloading";
        case TorrentState::seeding: return "seeding";
        case TorrentState::paused: return "paused";
        case TorrentState::error: return "error";
    }
    return "error";
}

}  // namespace rqfs::torrent
