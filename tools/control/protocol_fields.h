#pragma once

#include "tools/control/protocol.h"

#include <concepts>
#include <type_traits>

namespace rqfs::tools {

// The members of everything the protocol carries, named once for reading and writing: `visit(name, member)`, and
// `visit.rate(name, member)` for what is written as whole bytes a second.

// T, or T const.
template <class Given, class T>
concept Either = std::same_as<std::remove_const_t<Given>, T>;

template <class Visit, Either<TorrentReply> Reply>
void fields(Visit& visit, Reply& reply) {
    auto& s = reply.status;
    visit("info_hash", s.info_hash);
    visit("name", s.name);
    visit("state", s.state);
    visit("reason", s.reason);
    visit("path", reply.path);
    visit("directory", s.directory);
    visit("size_bytes", s.size_bytes);
    visit("have_bytes", s.have_bytes);
    visit("pieces", s.pieces);
    visit("have_pieces", s.have_pieces);
    visit("piece_bytes", s.piece_bytes);
    visit("progress", s.progress);
    visit("check_progress", s.check_progress);
    visit("wanted_bytes", s.wanted_bytes);
    visit("wanted_have_bytes", s.wanted_have_bytes);
    visit.rate("down_rate", s.down_rate);
    visit.rate("up_rate", s.up_rate);
    visit("downloaded_bytes", s.downloaded_bytes);
    visit("uploaded_bytes", s.uploaded_bytes);
    visit("wasted_bytes", s.wasted_bytes);
    visit("peers_connected", s.peers_connected);
    visit("peers_known", s.peers_known);
    visit("seeds_connected", s.seeds_connected);
    visit("readers", s.readers);
    visit("blocked_reads", s.blocked_reads);
    visit("is_private", s.is_private);
    visit("download", s.download);
    visit("added", s.added);
}

template <class Visit, Either<AddReply> Reply>
void fields(Visit& visit, Reply& reply) {
    visit("info_hash", reply.info_hash);
    visit("was_there", reply.was_there);
    visit("name", reply.name);
    visit("path", reply.path);
}

template <class Visit, Either<HistogramReply> Reply>
void fields(Visit& visit, Reply& reply) {
    visit("count", reply.count);
    visit("sum_seconds", reply.sum_seconds);
    visit("p50_seconds", reply.p50_seconds);
    visit("p95_seconds", reply.p95_seconds);
    visit("bounds_seconds", reply.bounds_seconds);
    visit("counts", reply.counts);
}

template <class Visit, Either<StatisticsReply> Reply>
void fields(Visit& visit, Reply& reply) {
    visit("open_to_first_byte", reply.open_to_first_byte);
    visit("seek_to_first_byte", reply.seek_to_first_byte);
    visit("stalled", reply.stalled);
    visit("received_wanted_bytes", reply.received.wanted);
    visit("duplicate_bytes", reply.received.duplicate);
    visit("late_bytes", reply.received.late);
    visit("failed_hash_bytes", reply.received.failed_hash);
    visit("dropped_bytes", reply.received.dropped);
    visit("unread_read_ahead_bytes", reply.unread_read_ahead_bytes);
    visit("kept_index_bytes", reply.kept_index_bytes);
}

template <class Visit, Either<torrent::FileStatus> File>
void fields(Visit& visit, File& file) {
    visit("index", file.index);
    visit("path", file.path);
    visit("size_bytes", file.size_bytes);
    visit("have_bytes", file.have_bytes);
    visit("wanted", file.wanted);
    visit("pad", file.pad);
}

template <class Visit, Either<torrent::PeerStatus> Peer>
void fields(Visit& visit, Peer& peer) {
    visit("endpoint", peer.endpoint);
    visit("client", peer.client);
    visit("source", peer.source);
    visit("incoming", peer.incoming);
    visit("choking_us", peer.choking_us);
    visit("interested_in_us", peer.interested_in_us);
    visit("choked_by_us", peer.choked_by_us);
    visit("interesting", peer.interesting);
    visit("snubbed", peer.snubbed);
    visit("progress", peer.progress);
    visit.rate("down_rate", peer.down_rate);
    visit.rate("up_rate", peer.up_rate);
    visit("downloaded_bytes", peer.downloaded_bytes);
    visit("uploaded_bytes", peer.uploaded_bytes);
    visit("requests_in_flight", peer.requests_in_flight);
    visit("requests_queued", peer.requests_queued);
    visit("round_trip_milliseconds", peer.round_trip);
}

template <class Visit, Either<torrent::UnreachedPeer> Peer>
void fields(Visit& visit, Peer& peer) {
    visit("endpoint", peer.endpoint);
    visit("message", peer.message);
}

template <class Visit, Either<ErrorReply> Reply>
void fields(Visit& visit, Reply& reply) {
    visit("kind", reply.kind);
    visit("message", reply.message);
    visit("candidates", reply.candidates);
}

}  // namespace rqfs::tools
