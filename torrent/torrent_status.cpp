#include "torrent/log.h"
#include "torrent/metainfo/magnet.h"
#include "torrent/torrent.h"

#include <algorithm>
#include <set>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

TorrentState Torrent::state() const {
    if (ended_) return TorrentState::error;
    if (download_) {
        auto const condition = download_->store().condition();
        if (condition.disk_full || !condition.failure.empty()) return TorrentState::error;
    }
    if (record_.paused) return TorrentState::paused;
    if (!download_) return TorrentState::metadata;
    if (download_->store().check_progress().running) return TorrentState::checking;
    if (download_->complete()) return TorrentState::seeding;
    return active() ? TorrentState::downloading : TorrentState::idle;
}

std::string Torrent::reason() const {
    if (ended_) return ended_->what;
    if (download_) {
        auto const condition = download_->store().condition();
        if (condition.disk_full) return "the disk of the store is full: files can still be read, but little is kept until there is space";
        if (!condition.failure.empty()) return condition.failure;
    }
    switch (state()) {
        case TorrentState::paused: return "paused by the user";
        case TorrentState::metadata: return metadata_fetch_ && connections_.connected() > 0 ? metadata_fetch_->reason() : waiting_reason();
        case TorrentState::checking: return "checking the data on disk";
        case TorrentState::seeding: return "complete";
        case TorrentState::idle: return "nobody reads it; only what is read is fetched";
        default: break;
    }
    if (connections_.connected() == 0) return waiting_reason();
    auto const peers = std::to_string(connections_.connected()) + (connections_.connected() == 1 ? " peer" : " peers");
    auto const waiting = readers_->waiting();
    if (waiting == 0) return "fetching from " + peers;
    return std::to_string(waiting) + (waiting == 1 ? " read waits" : " reads wait") + " for data of " + peers;
}

namespace {

// Why none of those is dialled who were named.
std::string refusal_of(PeerList::Counts const& counts) {
    if (counts.filter_refused) return "the IP filter (network.ip_filter) refuses whom others name";
    if (!counts.vetting_refused) return {};
    return "others name private addresses or ports of services, where they may not make us dial; `rqfsctl connect` does";
}

}  // namespace

std::string Torrent::waiting_reason() const {
    auto const counts = connections_.known().counts();
    if (counts.dialling > 0) return "connecting to " + std::to_string(counts.dialling) + (counts.dialling == 1 ? " peer" : " peers");
    if (counts.known > 0) return "no peer answers: " + std::to_string(counts.known) + " known, tried again in a while";
    auto const trackers = announcer_.status();
    auto const dht = peer_search_.dht_state();
    auto const refused = refusal_of(counts);
    if (trackers.empty() && dht.empty() && refused.empty())
        return "no peers yet, and no tracker to ask: add one, or use `rqfsctl connect`";
    if (trackers.empty() && refused.empty()) return "no peers yet: " + dht;
    auto const and_dht = dht.empty() ? dht : "; " + dht;
    for (auto const& tracker : trackers)
        if (tracker.state == "announcing") return "no peers yet: asking " + tracker.url + and_dht;
    for (auto const& tracker : trackers)
        if (!tracker.message.empty()) return "no peers yet: " + tracker.url + " says: " + tracker.message + and_dht;
    return "no peers yet: " + (refused.empty() ? "the trackers know none" : refused) + and_dht;
}

double Torrent::progress() const {
    if (!download_) return 0;
    if (download_->complete()) return 1;
    return static_cast<double>(download_->have_bytes()) / static_cast<double>(metainfo_->pieces().total_bytes());
}

namespace {

// Verified bytes inside a range of the torrent.
std::uint64_t verified_bytes(Metainfo const& metainfo, Bitfield const& have, ByteRange range) {
    auto const& layout = metainfo.pieces();
    auto const pieces = layout.pieces(range);
    std::uint64_t bytes = 0;
    for (auto piece = pieces.first; piece != pieces.end; ++piece) {
        if (!have.test(piece)) continue;
        auto const covered = layout.range(piece);
        bytes += std::min(covered.end, range.end) - std::max(covered.begin, range.begin);
    }
    return bytes;
}

}  // namespace

std::uint64_t Torrent::stored_bytes(FileIndex file) const {
    if (!download_ || file.value() >= metainfo_->files().size()) return 0;
    if (download_->complete()) return metainfo_->files()[file.value()].bytes;
    return verified_bytes(*metainfo_, download_->have(), metainfo_->file_layout().range(file));
}

Bitfield Torrent::wanted_pieces() const {
    auto const& layout = metainfo_->pieces();
    auto const fetch = session_.settings.stream.fetch;
    auto const open = readers_ && fetch != FetchPolicy::window ? readers_->files() : std::set<FileIndex>();
    bool const all = (record_.download && record_.wanted_files.empty()) || (fetch == FetchPolicy::torrent && !open.empty());
    Bitfield wanted(layout.pieces(), all);
    if (all) return wanted;
    auto const want = [&](FileIndex file) {
        if (file.value() >= metainfo_->files().size()) return;
        auto const pieces = layout.pieces(metainfo_->file_layout().range(file));
        for (auto piece = pieces.first; piece != pieces.end; ++piece) wanted.set(piece);
    };
    if (record_.download) std::for_each(record_.wanted_files.begin(), record_.wanted_files.end(), want);
    std::for_each(open.begin(), open.end(), want);
    return wanted;
}

void Torrent::settings_changed() {
    connections_.leave_refused();
    apply_wanted();
    tick_now_.notify();
}

void Torrent::apply_wanted() {
    if (download_) download_->set_wanted(wanted_pieces());
}

TorrentStatus Torrent::status() const {
    auto const now = session_.clock.now();
    TorrentStatus status;
    status.info_hash = record_.info_hash;
    status.name = metainfo_ ? metainfo_->name() : record_.display_name.empty() ? record_.info_hash.hex() : record_.display_name;
    status.state = state();
    status.reason = reason();
    status.progress = progress();
    status.down_rate = download_ ? download_->goodput(now) : 0;
    status.up_rate = connections_.upload_rate(now);
    status.downloaded_bytes = keeper_.all_downloaded(download_ ? download_->downloaded_bytes() : 0);
    status.uploaded_bytes = keeper_.all_uploaded(connections_.uploaded_bytes());
    status.peers_connected = static_cast<std::uint32_t>(connections_.connected());
    status.peers_known = static_cast<std::uint32_t>(connections_.known().counts().known);
    status.seeds_connected = static_cast<std::uint32_t>(connections_.seeds());
    status.is_private = is_private();
    status.download = record_.download;
    status.added = record_.added;
    status.directory = record_.directory;
    if (!download_) return status;
    auto const& layout = metainfo_->pieces();
    status.size_bytes = layout.total_bytes();
    status.have_bytes = download_->have_bytes();
    status.pieces = layout.pieces();
    status.have_pieces = download_->have().count();
    status.piece_bytes = layout.piece_bytes();
    status.check_progress = download_->store().check_progress().fraction;
    for (PieceIndex piece; record_.download && piece.value() < layout.pieces(); ++piece) {
        if (!download_->wanted().test(piece)) continue;
        status.wanted_bytes += layout.bytes(piece);
        if (download_->have().test(piece)) status.wanted_have_bytes += layout.bytes(piece);
    }
    status.wasted_bytes = download_->wasted_bytes();
    status.readers = static_cast<std::uint32_t>(readers_->open_files());
    status.blocked_reads = readers_->waiting();
    return status;
}

std::vector<FileStatus> Torrent::files() const {
    std::vector<FileStatus> files;
    if (!metainfo_) return files;
    for (FileIndex index; index.value() < metainfo_->files().size(); ++index) {
        auto const& file = metainfo_->files()[index.value()];
        FileStatus status;
        status.index = index;
        for (auto const& element : file.path) status.path += (status.path.empty() ? "" : "/") + element;
        status.size_bytes = file.bytes;
        status.have_bytes = stored_bytes(index);
        status.wanted = record_.download && (record_.wanted_files.empty() || std::find(record_.wanted_files.begin(), record_.wanted_files.end(),
                                                                                       index) != record_.wanted_files.end());
        status.pad = file.pad;
        files.push_back(std::move(status));
    }
    return files;
}

std::vector<PeerStatus> Torrent::peers() const { return connections_.status(); }

std::string Torrent::magnet() const {
    Magnet magnet;
    magnet.info_hash = record_.info_hash;
    magnet.display_name = metainfo_ ? metainfo_->name() : record_.display_name;
    for (auto const& tier : record_.trackers) magnet.trackers.insert(magnet.trackers.end(), tier.begin(), tier.end());
    magnet.web_seeds = record_.web_seeds;
    magnet.selected = record_.selected_files;
    return magnet.uri();
}

std::string Torrent::printable_name() const {
    auto name = metainfo_ ? metainfo_->name() : record_.display_name;
    std::replace_if(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '"'; }, '_');
    return name;
}

void Torrent::remember_directory(std::string directory) {
    record_.directory = std::move(directory);
    keeper_.save_soon();
}

void Torrent::set_log_level(std::string const& level) {
    logger_ = level.empty() ? shared_log() : shared_log()->clone("torrent");
    if (!level.empty()) logger_->set_level(spdlog::level::from_str(level));
    connections_.set_logger(logger_);
    if (download_) download_->set_logger(logger_);
}

bool Torrent::set_peer_log_level(Endpoint const& peer, std::string const& level) {
    auto logger = level.empty() ? nullptr : shared_log()->clone("torrent");
    if (!level.empty()) logger->set_level(spdlog::level::from_str(level));
    return connections_.set_peer_logger(peer, logger);
}

}  // namespace rqfs::torrent
