#include "torrent/swarm/unread_read_ahead.h"

namespace rqfs::torrent {

UnreadReadAhead::UnreadReadAhead(PieceLayout const& layout)
    : layout_(layout), wished_(layout.pieces()), unread_(layout.pieces()) {}

void UnreadReadAhead::wished(PieceIndex piece) { wished_.set(piece); }

void UnreadReadAhead::fetched(PieceIndex piece, bool wanted) {
    bool const was_wished = wished_.test(piece);
    wished_.clear(piece);
    if (!was_wished || wanted || unread_.test(piece)) return;
    unread_.set(piece);
    bytes_ += layout_.bytes(piece);
}

void UnreadReadAhead::read(PieceLayout::Pieces pieces) {
    if (unread_.none()) return;
    for (auto piece = pieces.first; piece != pieces.end; ++piece) forget(piece);
}

void UnreadReadAhead::lost(PieceIndex piece) { forget(piece); }

void UnreadReadAhead::forget(PieceIndex piece) {
    if (!unread_.test(piece)) return;
    unread_.clear(piece);
    bytes_ -= layout_.bytes(piece);
}

}  // namespace rqfs::torrent
