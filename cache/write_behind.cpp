#include "cache/write_behind.h"

#include "torrent/error.h"
#include "torrent/timeout.h"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

namespace rqfs::cache {

namespace asio = boost::asio;
using torrent::PieceIndex;
using torrent::SharedBytes;
using torrent::TimePoint;
using torrent::Workers;

WriteBehind::WriteBehind(asio::any_io_executor const& executor, torrent::Clock& clock, Workers& workers, StateQueue& state,
                         OpenFiles& files, CacheSettings const& settings)
    : clock_(clock),
      workers_(workers),
      state_(state),
      files_(files),
      settings_(settings),
      work_(executor),
      commit_(executor),
      settled_(executor),
      changed_(executor),
      tasks_(executor, "write behind") {
    tasks_.spawn(write_loop());
    tasks_.spawn(commit_loop());
    tasks_.spawn(announce_loop());
}

void WriteBehind::add(Torrent& torrent) { torrents_.try_emplace(&torrent); }

asio::awaitable<void> WriteBehind::remove(Torrent& torrent) {
    torrents_.erase(&torrent);
    std::erase_if(queue_, [&](Unwritten const& item) {
        if (item.torrent != &torrent) return false;
        release(item.bytes.size());
        return true;
    });
    unsynced_.erase(&torrent);
    if (writing_for_ == &torrent)
        for (auto& item : writing_) item.torrent = nullptr;
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    while (writing_for_ == &torrent || syncing_for_ == &torrent || (recording_ && syncing_.contains(&torrent)))
        co_await settled_.wait();
    unsynced_.erase(&torrent);
    syncing_.erase(&torrent);
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
}

void WriteBehind::put(Torrent& torrent, PieceIndex piece, SharedBytes bytes) {
    auto const had_room = has_room();
    unwritten_bytes_ += bytes.size();
    queue_.push_back({&torrent, piece, std::move(bytes)});
    if (had_room && !has_room()) announce();
    work_.notify();
}

void WriteBehind::found(Torrent& torrent, PieceIndex piece, std::shared_ptr<StoreFile> file) {
    add_unsynced(torrent, piece, file);
    last_written_ = clock_.now();
    commit_.notify();
}

void WriteBehind::forget(Torrent& torrent, PieceIndex piece) {
    auto const is_it = [&](Unwritten const& item) { return item.torrent == &torrent && item.piece == piece; };
    for (auto& item : writing_)
        if (is_it(item)) item.torrent = nullptr;
    std::erase_if(queue_, [&](Unwritten const& item) {
        if (!is_it(item)) return false;
        release(item.bytes.size());
        return true;
    });
    for (auto* const files : {&unsynced_, &syncing_}) {
        auto const place = files->find(&torrent);
        if (place != files->end()) place->second.pieces.erase(piece);
    }
}

bool WriteBehind::waits(Torrent const& torrent) const {
    return writing_for_ == &torrent ||
           std::any_of(queue_.begin(), queue_.end(), [&](Unwritten const& item) { return item.torrent == &torrent; });
}

void WriteBehind::retry_now() {
    retry_at_ = {};
    for (auto& [torrent, health] : torrents_) health.retry_at = {};
    work_.notify();
    commit_.notify();
}

asio::awaitable<void> WriteBehind::flush(Torrent& torrent) {
    struct Count {
        std::size_t& count;
        explicit Count(std::size_t& counter) : count(counter) { ++count; }
        ~Count() { --count; }
    } const count(flushes_);
    auto const failures = failures_;
    auto const own_failures = health(torrent).failures;
    retry_now();
    while (waits(torrent) || unsynced_.contains(&torrent) || syncing_.contains(&torrent)) {
        if (failures_ != failures || health(torrent).failures != own_failures) co_return;
        co_await settled_.wait();
        commit_.notify();
    }
}

asio::awaitable<void> WriteBehind::stop() { co_await tasks_.stop(); }

asio::awaitable<void> WriteBehind::write_loop() {
    for (;;) {
        if (queue_.empty()) {
            co_await work_.wait();
        } else if (auto const due = write_due(); clock_.now() < due) {
            drop_excess();
            co_await wait_until(work_, due);
        } else {
            co_await write_batch();
        }
    }
}

TimePoint WriteBehind::write_due() const {
    auto const now = clock_.now();
    auto due = TimePoint::max();
    for (auto const& item : queue_) {
        due = std::min(due, torrents_.at(item.torrent).retry_at);
        if (due <= now) break;
    }
    return std::max(due, retry_at_);
}

// Of the torrent that waits longest among those that may be tried; write_due() is over.
std::vector<WriteItem> WriteBehind::take_batch() {
    std::vector<WriteItem> items;
    std::uint64_t bytes = 0;
    auto const now = clock_.now();
    auto const may_be_tried = [&](Unwritten const& item) { return torrents_.at(item.torrent).retry_at <= now; };
    auto const first = std::find_if(queue_.begin(), queue_.end(), may_be_tried);
    writing_for_ = first->torrent;
    auto const& place = writing_for_->place();
    auto last = first;
    for (; last != queue_.end() && last->torrent == writing_for_ && (items.empty() || bytes < kJobBytes); ++last) {
        bytes += last->bytes.size();
        items.push_back({last->piece, place.offset(last->piece), last->bytes});
        writing_.push_back(std::move(*last));
    }
    queue_.erase(first, last);
    return items;
}

asio::awaitable<void> WriteBehind::write_batch() {
    auto items = take_batch();
    auto file = files_.find(writing_for_->place());
    Reserve reserve{settings_.reserved_bytes, settings_.reserved_percent};
    auto outcome = co_await workers_.run(Workers::Lane::disk, &write_pieces, std::move(file), std::move(items), reserve);
    finish_batch(std::move(outcome));
    settled_.notify();
}

void WriteBehind::finish_batch(WriteOutcome outcome) {
    auto* const torrent = std::exchange(writing_for_, nullptr);
    auto const batch = std::exchange(writing_, {});
    auto const written = outcome.checksums.size();
    // A torrent that has gone is only a number here; its items are without one.
    if (torrents_.contains(torrent)) files_.keep(torrent->place().key, outcome.file);
    put_back(torrent, batch, written, outcome.failure);
    for (std::size_t i = 0; i < written; ++i) {
        release(batch[i].bytes.size());
        if (batch[i].torrent == nullptr) continue;
        torrent->piece_written(batch[i].piece, std::move(outcome.checksums[i]));
        unsynced_bytes_ += batch[i].bytes.size();
        add_unsynced(*torrent, batch[i].piece, outcome.file);
    }
    if (written > 0) last_written_ = clock_.now();
    auto const full = outcome.failure.full();
    // A file that cannot even be opened says nothing about the space.
    if (full || written > 0) settle(write_failure_, full ? outcome.failure : DiskFailure());
    settle(torrent, &Health::write, full ? DiskFailure() : outcome.failure);
    if (outcome.failure.code != 0 && !full) drop_excess_of(torrent);
    commit_.notify();
}

// In front after a full disk; behind the other torrents' when it is this file that takes nothing.
void WriteBehind::put_back(Torrent* torrent, std::vector<Unwritten> const& batch, std::size_t written, DiskFailure const& failure) {
    for (std::size_t i = batch.size(); i > written; --i) {
        auto const& item = batch[i - 1];
        if (item.torrent != nullptr) queue_.push_front(item);
        else release(item.bytes.size());
    }
    if (failure.code == 0 || failure.full()) return;
    std::stable_partition(queue_.begin(), queue_.end(), [&](Unwritten const& item) { return item.torrent != torrent; });
}

void WriteBehind::add_unsynced(Torrent& torrent, PieceIndex piece, std::shared_ptr<StoreFile> const& file) {
    if (unsynced_.empty()) oldest_unsynced_ = clock_.now();
    auto& entry = unsynced_[&torrent];
    entry.pieces.insert(piece);
    if (entry.file == nullptr) entry.file = file;
}

void WriteBehind::release(std::uint64_t bytes) {
    auto const had_room = has_room();
    unwritten_bytes_ -= bytes;
    if (!had_room && has_room()) announce();
}

// A full disk must not fill memory too: what waited longest goes, and is fetched again when somebody reads it.
void WriteBehind::drop_excess() {
    while (unwritten_bytes_ > settings_.memory_bytes && queue_.size() > 1) {
        auto const item = queue_.front();
        queue_.pop_front();
        release(item.bytes.size());
        item.torrent->piece_dropped(item.piece);
    }
}

// A file that takes nothing leaves the others their room; one piece stays to be tried.
void WriteBehind::drop_excess_of(Torrent* torrent) {
    auto const is_its = [&](Unwritten const& item) { return item.torrent == torrent; };
    while (!has_room()) {
        auto const first = std::find_if(queue_.begin(), queue_.end(), is_its);
        if (first == queue_.end() || std::none_of(std::next(first), queue_.end(), is_its)) return;
        auto const item = *first;
        queue_.erase(first);
        release(item.bytes.size());
        torrent->piece_dropped(item.piece);
    }
}

TimePoint WriteBehind::commit_due() const {
    auto due = oldest_unsynced_ + settings_.commit_interval;
    auto const hopeless = [&](Unwritten const& item) { return torrents_.at(item.torrent).write.code != 0; };
    auto const quiet = writing_.empty() && std::all_of(queue_.begin(), queue_.end(), hopeless);
    if (quiet) due = std::min(due, last_written_ + settings_.idle_commit);
    if (unsynced_bytes_ >= settings_.commit_bytes || unsynced_.size() >= kUnsyncedFiles || (flushes_ > 0 && quiet)) due = {};
    return std::max(due, retry_at_);
}

asio::awaitable<void> WriteBehind::commit_loop() {
    for (;;) {
        if (unsynced_.empty()) {
            co_await commit_.wait();
        } else if (auto const due = commit_due(); clock_.now() < due) {
            co_await wait_until(commit_, due);
        } else {
            co_await commit();
            settled_.notify();
        }
    }
}

asio::awaitable<void> WriteBehind::commit() {
    syncing_ = std::exchange(unsynced_, {});
    unsynced_bytes_ = 0;
    std::vector<Torrent*> torrents;
    for (auto const& [torrent, entry] : syncing_) torrents.push_back(torrent);
    DiskFailure failure;
    for (auto* const torrent : torrents) {
        if (!syncing_.contains(torrent)) continue;
        auto const of_torrent = co_await sync(torrent);
        if (of_torrent.full()) failure = of_torrent;
    }
    auto const any_synced = !syncing_.empty();
    if (any_synced) {
        auto const of_record = co_await record();
        if (of_record.code != 0) failure = of_record;
    }
    if (any_synced || failure.code != 0) settle(commit_failure_, failure);
}

// Its data is on the disk now, or it has left syncing_ with a failure.
asio::awaitable<DiskFailure> WriteBehind::sync(Torrent* torrent) {
    auto file = syncing_.find(torrent)->second.file;
    if (!torrents_.contains(torrent)) co_return DiskFailure();
    syncing_for_ = torrent;
    auto const failure = co_await workers_.run(Workers::Lane::disk, &sync_file, std::move(file));
    syncing_for_ = nullptr;
    settled_.notify();
    settle(torrent, &Health::sync, failure.full() ? DiskFailure() : failure);
    if (failure.code == 0 || !syncing_.contains(torrent)) co_return DiskFailure();
    auto const pieces = std::move(syncing_.find(torrent)->second.pieces);
    syncing_.erase(torrent);
    if (torrents_.contains(torrent)) {
        files_.close(torrent->place().key);
        torrent->sync_failed(pieces);
    }
    co_return failure;
}

asio::awaitable<DiskFailure> WriteBehind::record() {
    struct Records {
        TorrentPlace place;
        std::vector<PieceRecord> pieces;
    };
    auto records = std::make_shared<std::vector<Records>>();
    for (auto const& [torrent, entry] : syncing_)
        if (torrents_.contains(torrent)) records->push_back({torrent->place(), torrent->to_record(entry.pieces)});
    StateDb::Change change = [records](StateDb& db) {
        for (auto const& of_torrent : *records) db.record_pieces(of_torrent.place, of_torrent.pieces);
    };
    DiskFailure failure;
    recording_ = true;
    try {
        co_await state_.write(std::move(change));
    } catch (boost::system::system_error const& e) {
        if (e.code().category() != torrent::torrent_category()) throw;
        failure = {e.code() == torrent::Errc::no_space ? ENOSPC : EIO, torrent::sentence(e)};
    }
    recording_ = false;
    for (auto& [torrent, entry] : std::exchange(syncing_, {})) {
        if (!torrents_.contains(torrent)) continue;
        if (failure.code == 0) torrent->pieces_recorded(entry.pieces);
        else
            for (auto const piece : entry.pieces) add_unsynced(*torrent, piece, entry.file);
    }
    co_return failure;
}

asio::awaitable<void> WriteBehind::announce_loop() {
    for (;;) {
        while (!announce_) co_await changed_.wait();
        announce_ = false;
        auto const torrents = torrents_;
        for (auto const& [torrent, health] : torrents)
            if (torrents_.contains(torrent)) torrent->disk_changed();
    }
}

asio::awaitable<void> WriteBehind::wait_until(torrent::Event& event, TimePoint when) {
    try {
        co_await torrent::with_timeout(clock_, event.wait(), when - clock_.now(), "waited");
    } catch (boost::system::system_error const& e) {
        if (e.code() != torrent::Errc::timed_out) throw;
    }
}

}  // namespace rqfs::cache
