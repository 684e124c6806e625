// What the readers of a file wait for, put together from those who know it.
#include "torrent/torrent.h"

#include <algorithm>
#include <utility>

namespace rqfs::torrent {

namespace {

using std::chrono::milliseconds;

using Holders = std::map<PeerHandle, WhyStatus::Peer>;

milliseconds in_milliseconds(Duration duration) { return std::chrono::duration_cast<milliseconds>(duration); }

std::vector<WhyStatus::Asked> asked_for(PiecePicker const& picker, BlockAddress block, Holders const& holders,
                                        TimePoint now) {
    std::vector<WhyStatus::Asked> told;
    for (auto const& asked : picker.asked(block, now)) {
        auto const peer = holders.find(asked.peer);
        if (peer == holders.end() || told.size() == limit::kWhyAsked) continue;
        told.push_back({peer->second.endpoint, peer->second.choking, in_milliseconds(now - asked.when),
                        in_milliseconds(asked.expected)});
    }
    return told;
}

WhyStatus::Piece facts_of(PieceIndex piece, Download const& download, Holders const& holders, TimePoint now) {
    WhyStatus::Piece facts;
    facts.piece = piece;
    facts.failed = download.picker().failed_before(piece);
    facts.blocks = download.metainfo().pieces().blocks(piece);
    for (BlockIndex block; block.value() < facts.blocks; ++block) {
        BlockAddress const address{piece, block};
        if (download.assembly().contains(address))
            ++facts.blocks_here;
        else
            facts.missing.push_back({block, asked_for(download.picker(), address, holders, now)});
    }
    std::ranges::stable_partition(facts.missing, [](auto const& block) { return !block.asked.empty(); });
    if (facts.missing.size() > limit::kWhyBlocks) facts.missing.resize(limit::kWhyBlocks);
    facts.peers = static_cast<std::uint32_t>(holders.size());
    for (auto const& [handle, peer] : holders) facts.holders.push_back(peer);
    auto const choked = std::ranges::stable_partition(facts.holders, [](auto const& peer) { return !peer.choking; });
    facts.peers_unchoked = facts.peers - static_cast<std::uint32_t>(choked.size());
    if (facts.holders.size() > limit::kWhyPeers) facts.holders.resize(limit::kWhyPeers);
    return facts;
}

}  // namespace

WhyStatus Torrent::why(FileIndex file) const {
    auto const now = session_.clock.now();
    WhyStatus why;
    why.state = state();
    why.reason = reason();
    if (!download_) return why;
    if (file.value() >= metainfo_->files().size())
        throw_error(Errc::not_found, "the torrent has no file " + std::to_string(file.value()));
    auto const& described = metainfo_->files()[file.value()];
    for (auto const& element : described.path) why.path += (why.path.empty() ? "" : "/") + element;
    why.size_bytes = described.bytes;
    why.have_bytes = stored_bytes(file);
    readers_->explain(file, why);
    auto const& layout = metainfo_->pieces();
    std::vector<PieceIndex> pieces;
    for (auto& reader : why.readers) {
        for (auto& read : reader.reads) {
            auto const range = layout.pieces(metainfo_->file_layout().in_torrent(file, read.range));
            for (auto piece = range.first; piece != range.end; ++piece) {
                if (download_->have().test(piece)) continue;
                ++read.missing_pieces;
                if (read.pieces.size() == limit::kWhyPieces) continue;
                read.pieces.push_back(piece);
                bool const known = std::ranges::find(pieces, piece) != pieces.end();
                if (!known && pieces.size() < limit::kWhyAllPieces) pieces.push_back(piece);
            }
        }
    }
    for (auto const piece : pieces) why.pieces.push_back(facts_of(piece, *download_, connections_.holders(piece), now));
    return why;
}

}  // namespace rqfs::torrent
