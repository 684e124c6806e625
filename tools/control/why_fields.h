#pragma once

#include "tools/control/protocol.h"
#include "tools/control/protocol_fields.h"
#include "torrent/why.h"

namespace rqfs::tools {

// The members of what readers of a file wait for, as protocol_fields.h names those of the rest.

template <class Visit, Either<torrent::WhyStatus::Peer> Peer>
void fields(Visit& visit, Peer& peer) {
    visit("endpoint", peer.endpoint);
    visit("choking_us", peer.choking);
}

template <class Visit, Either<torrent::WhyStatus::Asked> Asked>
void fields(Visit& visit, Asked& asked) {
    visit("endpoint", asked.endpoint);
    visit("choking_us", asked.choking);
    visit("asked_milliseconds_ago", asked.ago);
    visit("expected_in_milliseconds", asked.expected);
}

template <class Visit, Either<torrent::WhyStatus::Block> Block>
void fields(Visit& visit, Block& block) {
    visit("block", block.block);
    visit("asked", block.asked);
}

template <class Visit, Either<torrent::WhyStatus::Piece> Piece>
void fields(Visit& visit, Piece& piece) {
    visit("piece", piece.piece);
    visit("blocks", piece.blocks);
    visit("blocks_here", piece.blocks_here);
    visit("failed", piece.failed);
    visit("peers", piece.peers);
    visit("peers_unchoked", piece.peers_unchoked);
    visit("holders", piece.holders);
    visit("missing", piece.missing);
}

template <class Visit, Either<torrent::WhyStatus::Read> Read>
void fields(Visit& visit, Read& read) {
    visit("begin", read.range.begin);
    visit("end", read.range.end);
    visit("waited_milliseconds", read.waited);
    visit("missing_pieces", read.missing_pieces);
    visit("pieces", read.pieces);
}

template <class Visit, Either<torrent::WhyStatus::Reader> Reader>
void fields(Visit& visit, Reader& reader) {
    visit("program", reader.program);
    visit("process_id", reader.process_id);
    visit("greedy", reader.greedy);
    visit.rate("rate", reader.rate);
    visit("position", reader.position);
    visit("reads", reader.reads);
}

template <class Visit, Either<WhyReply> Reply>
void fields(Visit& visit, Reply& reply) {
    auto& s = reply.status;
    visit("state", s.state);
    visit("reason", s.reason);
    visit("obstacle", s.obstacle);
    visit("file", s.path);
    visit("size_bytes", s.size_bytes);
    visit("have_bytes", s.have_bytes);
    visit("open", s.open);
    visit("readers", s.readers);
    visit("pieces", s.pieces);
    visit("read_timeout_milliseconds", s.limit.timeout);
    visit("timeout_error", s.limit.error);
    visit("text", reply.text);
}

}  // namespace rqfs::tools
