#include "torrent/swarm/piece_assembly.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <memory>
#include <utility>

namespace rqfs::torrent {

namespace {

constexpr std::uint32_t kRunBytes = 256u << 10;

}  // namespace

HashRun hash_run(HashRun run) {
    run.context.update(run.bytes.bytes());
    return run;
}

PieceAssembly::Piece& PieceAssembly::begin(PieceIndex index) {
    auto const found = pieces_.find(index);
    if (found != pieces_.end()) return found->second;
    auto& piece = pieces_[index];
    piece.assembly = ++assemblies_;
    piece.size = layout_.bytes(index);
    piece.buffer = std::make_shared_for_overwrite<std::byte[]>(piece.size);
    piece.senders.resize(layout_.blocks(index));
    bytes_held_ += piece.size;
    return piece;
}

PieceAssembly::Piece const* PieceAssembly::find(PieceIndex piece) const {
    auto const found = pieces_.find(piece);
    return found == pieces_.end() ? nullptr : &found->second;
}

PieceAssembly::Stored PieceAssembly::add(PeerHandle sender, BlockAddress block, std::span<std::byte const> bytes) {
    assert(bytes.size() == layout_.bytes(block));
    auto& piece = begin(block.piece);
    auto* const place = piece.buffer.get() + layout_.begin(block);
    auto& known = piece.senders.at(block.block.value());
    if (known) return std::equal(bytes.begin(), bytes.end(), place) ? Stored::same : Stored::different;
    std::memcpy(place, bytes.data(), bytes.size());
    known = sender;
    ++piece.blocks_here;
    while (piece.contiguous_blocks < piece.senders.size() && piece.senders[piece.contiguous_blocks])
        ++piece.contiguous_blocks;
    return Stored::stored;
}

std::optional<HashRun> PieceAssembly::next_run(PieceIndex index, bool flush) {
    auto const found = pieces_.find(index);
    if (found == pieces_.end() || found->second.at_hasher) return std::nullopt;
    auto& piece = found->second;
    auto const end = std::min(piece.size, piece.contiguous_blocks * kBlockBytes);
    auto const ready = end - piece.handed_bytes;
    if (ready == 0 || (ready < kRunBytes && end < piece.size && !flush)) return std::nullopt;
    std::span<std::byte const> const bytes(piece.buffer.get() + piece.handed_bytes, ready);
    piece.handed_bytes = end;
    piece.at_hasher = true;
    return HashRun{index, piece.assembly, SharedBytes(piece.buffer, bytes), std::move(piece.context)};
}

bool PieceAssembly::run_hashed(HashRun run) {
    auto const found = pieces_.find(run.piece);
    if (found == pieces_.end() || found->second.assembly != run.assembly) return false;
    auto& piece = found->second;
    assert(piece.at_hasher);
    piece.at_hasher = false;
    piece.context = std::move(run.context);
    if (piece.handed_bytes == piece.size) piece.digest = piece.context.finish();
    return true;
}

std::optional<Sha1Digest> PieceAssembly::finished(PieceIndex piece) const {
    auto const* const found = find(piece);
    return found == nullptr ? std::nullopt : found->digest;
}

bool PieceAssembly::complete(PieceIndex piece) const {
    auto const* const found = find(piece);
    return found != nullptr && found->blocks_here == found->senders.size();
}

bool PieceAssembly::contains(PieceIndex piece) const { return find(piece) != nullptr; }
bool PieceAssembly::contains(BlockAddress block) const { return sender(block).has_value(); }

std::optional<PeerHandle> PieceAssembly::sender(BlockAddress block) const {
    auto const* const found = find(block.piece);
    return found == nullptr ? std::nullopt : found->senders.at(block.block.value());
}

std::vector<PeerHandle> PieceAssembly::contributors(PieceIndex piece) const {
    assert(complete(piece));
    std::vector<PeerHandle> contributors;
    for (auto const& sender : find(piece)->senders) contributors.push_back(*sender);
    return contributors;
}

std::span<std::byte const> PieceAssembly::bytes(BlockAddress block) const {
    assert(contains(block));
    return {find(block.piece)->buffer.get() + layout_.begin(block), layout_.bytes(block)};
}

SharedBytes PieceAssembly::bytes(PieceIndex piece) const {
    assert(complete(piece));
    auto const* const found = find(piece);
    return {found->buffer, std::span<std::byte const>(found->buffer.get(), found->size)};
}

SharedBytes PieceAssembly::take(PieceIndex piece) {
    auto whole = bytes(piece);
    drop(piece);
    return whole;
}

void PieceAssembly::drop(PieceIndex piece) {
    auto const found = pieces_.find(piece);
    if (found == pieces_.end()) return;
    bytes_held_ -= found->second.size;
    pieces_.erase(found);
}

std::vector<PieceIndex> PieceAssembly::pieces() const {
    std::vector<PieceIndex> pieces;
    for (auto const& [index, piece] : pieces_) pieces.push_back(index);
    return pieces;
}

std::uint64_t PieceAssembly::bytes_received(PieceIndex piece) const {
    auto const* const found = find(piece);
    if (found == nullptr) return 0;
    std::uint64_t const full = std::uint64_t{found->blocks_here} * kBlockBytes;
    auto const short_by = std::uint64_t{found->senders.size()} * kBlockBytes - found->size;
    return found->senders.back() ? full - short_by : full;
}

}  // namespace rqfs::torrent
