#include "cache/piece_cache.h"

#include "cache/log.h"
#include "cache/settings.h"
#include "torrent/error.h"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>

namespace rqfs::cache {

namespace asio = boost::asio;
using torrent::ByteRange;
using torrent::Errc;
using torrent::kBlockBytes;
using torrent::PieceIndex;
using torrent::SharedBytes;
using torrent::Workers;

// Counts the coroutines that work on the members, so that stop() can wait for them.
class PieceCache::Reading {
public:
    explicit Reading(PieceCache& cache) : cache_(cache) { ++cache_.readings_; }
    Reading(Reading const&) = delete;
    Reading& operator=(Reading const&) = delete;
    ~Reading() {
        if (--cache_.readings_ == 0) cache_.loaded_.notify();
    }

private:
    PieceCache& cache_;
};

namespace {

ByteRange aligned(ByteRange range, std::uint64_t unit, std::uint64_t size) {
    return {range.begin / unit * unit, std::min((range.end + unit - 1) / unit * unit, size)};
}

// A record that stays although its piece is gone does no harm: the checksums deny it.
asio::awaitable<void> wait_for_removal(asio::awaitable<void> removal, std::string torrent) {
    try {
        co_await std::move(removal);
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        log().warn("pieces that are lost are still recorded torrent={} error={}", torrent, torrent::sentence(e));
    }
}

}  // namespace

PieceCache::PieceCache(StoreParts& parts, TorrentPlace place, std::shared_ptr<torrent::PieceFacts const> facts,
                       torrent::Bitfield recorded, Observer& observer, std::function<void(StoredPieces)> stopped)
    : parts_(parts),
      place_(std::move(place)),
      observer_(observer),
      stopped_(std::move(stopped)),
      have_(recorded),
      on_disk_(recorded),
      recorded_(std::move(recorded)),
      checksums_(place_),
      loaded_(parts.executor),
      check_(parts, place_, std::move(facts), *this),
      tasks_(parts.executor, "piece cache") {
    parts_.write_behind.add(*this);
    check_.start_search();
}

PieceCache::~PieceCache() { assert(has_stopped_ && "PieceCache destroyed before stop()"); }

void PieceCache::put(PieceIndex piece, SharedBytes bytes) {
    assert(bytes.size() == place_.size(piece));
    if (stopping_ || have_.test(piece)) return;
    have_.set(piece);
    check_.touched(piece);
    parts_.memory.put_unwritten(place_.key, piece, bytes);
    parts_.write_behind.put(*this, piece, std::move(bytes));
}

ByteRange PieceCache::in_torrent(PieceIndex piece, ByteRange range) const {
    auto const offset = place_.offset(piece);
    return {offset + range.begin, offset + range.end};
}

std::optional<SharedBytes> PieceCache::try_read(PieceIndex piece, ByteRange range) {
    assert(range.begin <= range.end && range.end <= place_.size(piece));
    if (!have_.test(piece)) return std::nullopt;
    auto bytes = parts_.memory.find(place_.key, piece, range);
    auto const whole = in_torrent(piece, range);
    if (bytes && history_.sequential(whole)) read_ahead(whole.end);
    return bytes;
}

asio::awaitable<SharedBytes> PieceCache::read(PieceIndex piece, ByteRange range) {
    assert(range.begin <= range.end && range.end <= place_.size(piece));
    Reading const reading(*this);
    auto const whole = in_torrent(piece, range);
    auto const sequential = history_.sequential(whole);
    auto const wanted = aligned(range, sequential ? kRunBytes : kBlockBytes, place_.size(piece));
    for (;;) {
        if (stopping_) torrent::throw_error(Errc::stopping, "the store is stopping");
        if (!have_.test(piece)) torrent::throw_error(Errc::corrupt, "piece " + std::to_string(piece.value()) + " is not stored");
        if (auto bytes = parts_.memory.find(place_.key, piece, range)) co_return *bytes;
        if (!checksums_.knows(piece)) {
            co_await load_checksums();
        } else if (sequential && loading(piece, wanted)) {
            co_await loaded_.wait();
        } else {
            if (sequential) read_ahead(in_torrent(piece, wanted).end);
            std::optional<SharedBytes> bytes;
            if (sequential) bytes = co_await load_runs(piece, wanted);
            else bytes = co_await load(piece, wanted);
            if (bytes) co_return bytes->slice(range.begin - wanted.begin, range.size());
        }
    }
}

bool PieceCache::loading(PieceIndex piece, ByteRange runs) const {
    auto const found = loading_.lower_bound({piece, runs.begin / kRunBytes});
    return found != loading_.end() && *found < Run{piece, (runs.end + kRunBytes - 1) / kRunBytes};
}

asio::awaitable<std::optional<SharedBytes>> PieceCache::load_runs(PieceIndex piece, ByteRange runs) {
    struct Mark {
        PieceCache& cache;
        PieceIndex piece;
        ByteRange runs;
        Mark(PieceCache& owner, PieceIndex of, ByteRange which) : cache(owner), piece(of), runs(which) {
            for (auto at = runs.begin; at < runs.end; at += kRunBytes) cache.loading_.emplace(piece, at / kRunBytes);
        }
        Mark(Mark const&) = delete;
        Mark& operator=(Mark const&) = delete;
        ~Mark() {
            for (auto at = runs.begin; at < runs.end; at += kRunBytes) cache.loading_.erase({piece, at / kRunBytes});
            cache.loaded_.notify();
        }
    } const mark(*this, piece, runs);
    auto bytes = co_await load(piece, runs);
    if (!bytes || stopping_) co_return bytes;
    for (auto at = runs.begin; at < runs.end; at += kRunBytes) {
        auto part = bytes->slice(at - runs.begin, std::min(kRunBytes, runs.end - at));
        parts_.memory.put_run(place_.key, piece, static_cast<std::uint32_t>(at / kRunBytes), std::move(part));
    }
    co_return bytes;
}

// Whole blocks from the disk; nothing when the piece changed meanwhile. Throws when it is damaged.
asio::awaitable<std::optional<SharedBytes>> PieceCache::load(PieceIndex piece, ByteRange blocks) {
    auto const checksums =
        checksums_.get(piece, blocks.begin / kBlockBytes, (blocks.size() + kBlockBytes - 1) / kBlockBytes);
    auto file = parts_.files.find(place_);
    auto outcome = co_await parts_.workers.run(Workers::Lane::disk, &read_blocks, std::move(file),
                                               place_.offset(piece) + blocks.begin, blocks.size(), checksums);
    if (!stopping_) parts_.files.keep(place_.key, outcome.file);
    co_return judge(piece, checksums, blocks, std::move(outcome));
}

std::optional<SharedBytes> PieceCache::judge(PieceIndex piece, std::vector<std::uint32_t> const& checksums, ByteRange blocks,
                                             ReadOutcome outcome) {
    if (stopping_) torrent::throw_error(Errc::stopping, "the store is stopping");
    if (!on_disk_.test(piece) || !checksums_.knows(piece) ||
        checksums_.get(piece, blocks.begin / kBlockBytes, checksums.size()) != checksums)
        return std::nullopt;
    if (outcome.failure.code == 0) return std::move(outcome.bytes);
    if (!outcome.damaged) torrent::throw_error(Errc::io, outcome.failure.sentence);
    log().warn("stored data is damaged and will be fetched again torrent={} piece={} error={}", place_.info_hash.short_hex(),
               piece.value(), outcome.failure.sentence);
    std::vector<PieceIndex> lost{piece};
    if (outcome.failure.code == ENOENT) {
        lost.clear();
        for (std::uint32_t i = 0; i < place_.pieces; ++i)
            if (on_disk_.test(PieceIndex(i)) && !parts_.memory.whole(place_.key, PieceIndex(i))) lost.push_back(PieceIndex(i));
    }
    lose(std::move(lost));
    torrent::throw_error(Errc::corrupt, "piece " + std::to_string(piece.value()) + " was damaged on disk");
}

void PieceCache::read_ahead(std::uint64_t from) {
    auto const end = std::min(from + kReadAheadBytes, place_.total_bytes);
    while (from < end && !stopping_) {
        PieceIndex const piece(static_cast<std::uint32_t>(from / place_.piece_bytes));
        auto const within = from - place_.offset(piece);
        auto const run = aligned({within, within + 1}, kRunBytes, place_.size(piece));
        from = place_.offset(piece) + run.end;
        if (!on_disk_.test(piece) || !checksums_.knows(piece) || loading(piece, run)) continue;
        if (parts_.memory.holds_run(place_.key, piece, static_cast<std::uint32_t>(run.begin / kRunBytes))) continue;
        if (read_ahead_jobs_ >= kReadAheadJobs) return;
        ++read_ahead_jobs_;
        tasks_.spawn(read_ahead(piece, run));
    }
}

asio::awaitable<void> PieceCache::read_ahead(PieceIndex piece, ByteRange run) {
    Reading const reading(*this);
    struct Job {
        std::size_t& jobs;
        ~Job() { --jobs; }
    } const job{read_ahead_jobs_};
    if (loading(piece, run) || !on_disk_.test(piece) || !checksums_.knows(piece)) co_return;
    try {
        co_await load_runs(piece, run);
    } catch (boost::system::system_error const& e) {
        // Whoever reads it will be told.
        if (e.code().category() != torrent::torrent_category()) throw;
    }
}

asio::awaitable<void> PieceCache::load_checksums() {
    if (checksums_loaded_ == Loaded::loading) {
        co_await loaded_.wait();
        co_return;
    }
    checksums_loaded_ = Loaded::loading;
    std::function<std::vector<PieceRecord>(StateDb&)> query = [info_hash = place_.info_hash](StateDb& db) {
        return db.load_checksums(info_hash);
    };
    struct Ended {
        PieceCache& cache;
        ~Ended() {
            if (cache.checksums_loaded_ == Loaded::loading) cache.checksums_loaded_ = Loaded::no;
            cache.loaded_.notify();
        }
    } const ended{*this};
    auto const records = co_await parts_.state.read<std::vector<PieceRecord>>(std::move(query));
    checksums_loaded_ = Loaded::yes;
    take_checksums(records);
}

void PieceCache::take_checksums(std::vector<PieceRecord> const& records) {
    for (auto const& record : records)
        if (record.piece.value() < place_.pieces && on_disk_.test(record.piece) && !checksums_.knows(record.piece))
            checksums_.set(record.piece, record.checksums);
    // What has no checksums cannot be believed: its hash is asked.
    std::vector<PieceIndex> unknown;
    for (std::uint32_t i = 0; i < place_.pieces; ++i)
        if (on_disk_.test(PieceIndex(i)) && !checksums_.knows(PieceIndex(i))) unknown.push_back(PieceIndex(i));
    if (unknown.empty()) return;
    log().warn("checksums are missing, hashing torrent={} pieces={}", place_.info_hash.short_hex(), unknown.size());
    lose(unknown);
    check_.start_for(unknown);
}

void PieceCache::lose(std::vector<PieceIndex> pieces) {
    std::erase_if(pieces, [&](PieceIndex piece) { return !have_.test(piece); });
    if (pieces.empty()) return;
    for (auto const piece : pieces) {
        have_.clear(piece);
        on_disk_.clear(piece);
        recorded_.clear(piece);
        checksums_.clear(piece);
        parts_.memory.erase(place_.key, piece);
        parts_.write_behind.forget(*this, piece);
    }
    StateDb::Change change = [place = place_, pieces](StateDb& db) { db.remove_pieces(place, pieces); };
    tasks_.spawn(wait_for_removal(parts_.state.write(std::move(change)), place_.info_hash.short_hex()));
    observer_.pieces_lost(pieces);
}

torrent::PieceStore::Condition PieceCache::condition() const {
    // A torrent that has everything on disk does not mind.
    if (have_.all() && !parts_.write_behind.waits(*this)) return {};
    return parts_.write_behind.condition(*this);
}

void PieceCache::piece_written(PieceIndex piece, std::vector<std::uint32_t> checksums) {
    on_disk_.set(piece);
    checksums_.set(piece, checksums);
    check_.touched(piece);
    parts_.memory.written(place_.key, piece);
}

std::vector<PieceRecord> PieceCache::to_record(std::set<PieceIndex> const& pieces) const {
    std::vector<PieceRecord> records;
    for (auto const piece : pieces)
        if (on_disk_.test(piece) && checksums_.knows(piece)) records.push_back({piece, checksums_.get(piece)});
    return records;
}

void PieceCache::pieces_recorded(std::set<PieceIndex> const& pieces) {
    for (auto const piece : pieces)
        if (on_disk_.test(piece)) recorded_.set(piece);
}

void PieceCache::sync_failed(std::set<PieceIndex> const& pieces) {
    std::vector<PieceIndex> lost;
    for (auto const piece : pieces) {
        if (!on_disk_.test(piece)) continue;
        auto bytes = parts_.memory.whole(place_.key, piece);
        if (!bytes) {
            lost.push_back(piece);
            continue;
        }
        on_disk_.clear(piece);
        recorded_.clear(piece);
        check_.touched(piece);
        parts_.memory.put_unwritten(place_.key, piece, *bytes);
        parts_.write_behind.put(*this, piece, std::move(*bytes));
    }
    lose(std::move(lost));
}

void PieceCache::piece_dropped(PieceIndex piece) {
    std::vector<PieceIndex> lost{piece};
    lose(std::move(lost));
}

void PieceCache::check_passed(PieceIndex piece, std::vector<std::uint32_t> checksums, std::shared_ptr<StoreFile> file) {
    if (in_memory_only(piece)) return;
    auto const known = on_disk_.test(piece);
    if (!checksums_.set(piece, checksums) || recorded_.test(piece)) return;
    have_.set(piece);
    on_disk_.set(piece);
    parts_.write_behind.found(*this, piece, std::move(file));
    if (!known) observer_.piece_found(piece);
}

asio::awaitable<void> PieceCache::stop() {
    stopping_ = true;
    co_await check_.stop();
    co_await tasks_.stop();
    co_await parts_.write_behind.remove(*this);
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    loaded_.notify();
    while (readings_ > 0) co_await loaded_.wait();
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    parts_.memory.erase(place_.key);
    parts_.files.close(place_.key);
    has_stopped_ = true;
    stopped_({place_.total_bytes, place_.piece_bytes, recorded_});
}

}  // namespace rqfs::cache
