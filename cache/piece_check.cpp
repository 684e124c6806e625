#include "cache/piece_check.h"

#include "cache/log.h"
#include "cache/settings.h"

#include <algorithm>
#include <utility>

namespace rqfs::cache {

namespace asio = boost::asio;
using torrent::Bitfield;
using torrent::PieceIndex;
using torrent::Workers;

PieceCheck::PieceCheck(StoreParts& parts, TorrentPlace const& place, std::shared_ptr<torrent::PieceFacts const> facts, Owner& owner)
    : parts_(parts), place_(place), facts_(std::move(facts)), owner_(owner), remaining_(place.pieces), tasks_(parts.executor, "piece check") {}

void PieceCheck::start_search() { start(false, Bitfield(place_.pieces)); }

void PieceCheck::start_full() {
    full_ = true;
    running_ = true;
    hashed_bytes_ = 0;
    bytes_ = 0;
    bad_pieces_ = 0;
    start(true, Bitfield(place_.pieces));
}

void PieceCheck::start_for(std::vector<PieceIndex> const& pieces) {
    Bitfield also(place_.pieces);
    for (auto const piece : pieces) also.set(piece);
    start(full_, std::move(also));
}

void PieceCheck::start(bool everything, Bitfield also) {
    for (std::uint32_t i = 0; i < place_.pieces; ++i)
        if (remaining_.test(PieceIndex(i))) also.set(PieceIndex(i));
    tasks_.spawn(run(++current_run_, everything, std::move(also)));
}

void PieceCheck::cancel() {
    ++current_run_;
    running_ = false;
    full_ = false;
    remaining_ = Bitfield(place_.pieces);
}

torrent::PieceStore::CheckProgress PieceCheck::progress() const {
    if (!running_) return {};
    return {true, bytes_ == 0 ? 0 : static_cast<double>(hashed_bytes_) / static_cast<double>(bytes_)};
}

asio::awaitable<void> PieceCheck::stop() {
    ++current_run_;
    co_await tasks_.stop();
}

asio::awaitable<void> PieceCheck::run(std::uint64_t run, bool everything, Bitfield also) {
    auto const turn = co_await parts_.check_turn.take();
    if (run != current_run_) co_return;
    auto wanted = co_await candidates(everything, std::move(also));
    if (run != current_run_) co_return;
    if (!wanted.none()) co_await hash(run, std::move(wanted));
    if (run != current_run_) co_return;
    if (full_)
        log().info("data verified torrent={} pieces={} bad={}", place_.info_hash.short_hex(), place_.pieces, bad_pieces_);
    running_ = false;
    full_ = false;
}

asio::awaitable<Bitfield> PieceCheck::candidates(bool everything, Bitfield also) {
    // By its name: a file that was removed lives on behind an open descriptor.
    parts_.files.close(place_.key);
    auto file = parts_.files.find(place_);
    auto scan = co_await parts_.workers.run(Workers::Lane::disk, &scan_data, std::move(file), place_.total_bytes,
                                            place_.piece_bytes, place_.pieces);
    parts_.files.keep(place_.key, scan.file);
    for (std::uint32_t i = 0; i < place_.pieces; ++i) {
        PieceIndex const piece(i);
        auto const stored = owner_.stored(piece);
        if (!owner_.in_memory_only(piece) && (scan.data.test(piece) != stored || (stored && everything))) also.set(piece);
    }
    co_return also;
}

asio::awaitable<void> PieceCheck::hash(std::uint64_t run, Bitfield wanted) {
    remaining_ = wanted;
    running_ = true;
    hashed_bytes_ = 0;
    bytes_ = 0;
    for (std::uint32_t i = 0; i < place_.pieces; ++i)
        if (wanted.test(PieceIndex(i))) bytes_ += place_.size(PieceIndex(i));
    for (std::uint32_t next = 0; next < place_.pieces && run == current_run_;) {
        std::vector<HashItem> items;
        std::uint64_t bytes = 0;
        auto const first = next;
        for (; next < place_.pieces && (items.empty() || bytes < kJobBytes); ++next) {
            PieceIndex const piece(next);
            if (!wanted.test(piece)) continue;
            bytes += place_.size(piece);
            if (owner_.in_memory_only(piece)) continue;
            items.push_back({piece, {place_.offset(piece), place_.offset(piece) + place_.size(piece)}, facts_->hashes[next]});
        }
        if (!items.empty()) co_await hash_batch(std::move(items));
        if (run != current_run_) co_return;
        hashed_bytes_ += bytes;
        for (auto i = first; i < next; ++i) remaining_.clear(PieceIndex(i));
    }
}

asio::awaitable<void> PieceCheck::hash_batch(std::vector<HashItem> items) {
    std::vector<PieceIndex> pieces;
    for (auto const& item : items) pieces.push_back(item.piece);
    in_job_.insert(pieces.begin(), pieces.end());
    auto file = parts_.files.find(place_);
    auto outcome = co_await parts_.workers.run(Workers::Lane::disk, &hash_pieces, std::move(file), std::move(items));
    parts_.files.keep(place_.key, outcome.file);
    std::vector<PieceIndex> failed;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (in_job_.erase(pieces[i]) == 0) continue;
        if (outcome.checksums[i]) owner_.check_passed(pieces[i], std::move(*outcome.checksums[i]), outcome.file);
        else if (owner_.stored(pieces[i])) failed.push_back(pieces[i]);
    }
    bad_pieces_ += failed.size();
    if (!failed.empty()) owner_.check_failed(std::move(failed));
}

}  // namespace rqfs::cache
