#include "torrent/readers.h"

#include "torrent/download.h"
#include "torrent/readers_state.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

// How often a reader's window is drawn anew while its reads are answered from what is there.
constexpr std::chrono::milliseconds kRefreshInterval{20};
// Who jumps oftener is told apart from those who read on, or seek now and then, when too much is taken back.
constexpr std::chrono::seconds kJumpy{1};
// What a player shows so soon must not wait for copies of other torrents: players wait until they have 1 to 5 s.
constexpr std::chrono::seconds kSoon{5};
// Windows drawn anew in one tick, each reader in its turn: with a thousand open files the engine has other things to do.
constexpr std::size_t kRefreshesATick = 64;
// Of all readers of a torrent together, because every plan goes through them: of more than thirty-two readers each has
// its most urgent ones only, at least two reads of the kernel in the smallest pieces.
constexpr std::size_t kWishesOfAll = 32 * Demand::kMostWishes;
constexpr std::size_t kLeastWishes = 16;

}  // namespace

class Readers::OpenStream final : public Stream {
public:
    OpenStream(Readers& readers, ReaderId id) : readers_(&readers), id_(id) {}
    ~OpenStream() override {
        if (readers_ != nullptr) readers_->close(id_);
    }

    asio::awaitable<std::vector<SharedBytes>> read(ByteRange range) override {
        if (readers_ == nullptr) throw_error(Errc::removed, "the torrent was removed");
        return readers_->read(id_, range);
    }
    std::optional<std::vector<SharedBytes>> try_read(ByteRange range) override {
        return readers_ == nullptr ? std::nullopt : readers_->try_read(id_, range);
    }
    std::optional<std::vector<SharedBytes>> peek(ByteRange range) const override {
        return readers_ == nullptr ? std::nullopt : readers_->peek(id_, range);
    }
    void hint(MediaHints hints) override {
        if (readers_ != nullptr) readers_->hint(id_, std::move(hints));
    }
    void detach() { readers_ = nullptr; }

private:
    Readers* readers_;  // null once the torrent is gone
    ReaderId id_;
};

// Counts a read while it lasts, however it ends, and keeps the reader's demand and the session's statistics informed.
class Readers::ReadGuard {
public:
    ReadGuard(Readers& readers, ReaderId id, ByteRange range)
        : readers_(readers), id_(id), range_(range), began_(readers.clock_.now()) {
        ++readers_.reading_;
        auto& reader = readers_.readers_.at(id);
        bool const goes_on = reader.answered && !reader.demand.blocked();
        ticket_ = reader.demand.read_started(range, began_);
        move_ = reader.demand.last_move();
        if (move_ == ReadCursors::Kind::jump || move_ == ReadCursors::Kind::settle) {
            reader.restless = began_ - reader.jumped < kJumpy;
            reader.jumped = began_;
        }
        if (move_ == ReadCursors::Kind::probe) {
            reader.probed = began_;
            reader.probe_took.reset();
        }
        may_stall_ = goes_on && move_ == ReadCursors::Kind::sequential;
        reader.position = range.end;
    }
    ReadGuard(ReadGuard const&) = delete;
    ReadGuard& operator=(ReadGuard const&) = delete;
    ~ReadGuard() {
        set_waiting(false);
        --readers_.reading_;
        if (auto const found = readers_.readers_.find(id_); found != readers_.readers_.end()) {
            auto const now = readers_.clock_.now();
            if (waited_ && (may_stall_ || !given_)) readers_.download_.statistics().stalled.add(now - began_);
            found->second.demand.read_ended(ticket_, now);
            if (now - found->second.refreshed >= kRefreshInterval || waited_) readers_.refresh(id_, found->second);
        }
        readers_.ended_.notify();
    }
    // Its bytes are here.
    void answered() {
        given_ = true;
        auto const found = readers_.readers_.find(id_);
        if (found == readers_.readers_.end()) return;
        auto& reader = found->second;
        auto& download = readers_.download_;
        auto const bytes = download.metainfo().file_layout().in_torrent(reader.file, range_);
        if (bytes.empty()) return;
        download.pieces_read(download.metainfo().pieces().pieces(bytes));
        auto const now = readers_.clock_.now();
        if (!std::exchange(reader.answered, true))
            download.statistics().open_to_first_byte.add(now - reader.opened);
        else if (move_ == ReadCursors::Kind::jump)
            download.statistics().seek_to_first_byte.add(now - began_);
        else if (move_ == ReadCursors::Kind::probe && reader.probed == began_)
            reader.probe_took = now - began_;
        else if (move_ == ReadCursors::Kind::settle)  // what seemed a look was the seek
            download.statistics().seek_to_first_byte.add(reader.probe_took.value_or(now - reader.probed));
    }
    void set_waiting(bool waiting) {
        if (waiting == waiting_) return;
        waiting_ = waiting;
        waited_ = waited_ || waiting;
        note_wait();
        readers_.waiting_ += waiting ? 1u : 0u;
        readers_.waiting_ -= waiting ? 0u : 1u;
        if (readers_.waiting_ == (waiting ? 1u : 0u)) readers_.owner_.readers_changed(false);
    }

private:
    void note_wait() {
        auto const found = readers_.readers_.find(id_);
        if (found == readers_.readers_.end()) return;
        if (waiting_)
            found->second.waits.emplace(ticket_, Reader::Wait{range_, began_});
        else
            found->second.waits.erase(ticket_);
    }

    Readers& readers_;
    ReaderId id_;
    ByteRange range_;
    TimePoint began_;
    Demand::Ticket ticket_{};
    ReadCursors::Kind move_{};
    bool given_ = false;  // it did not wait in vain
    bool may_stall_ = false;
    bool waiting_ = false;
    bool waited_ = false;
};

Readers::Readers(asio::any_io_executor const& executor, Clock& clock, Download& download,
                 StreamSettings const& settings, Owner& owner)
    : clock_(clock), download_(download), settings_(settings), owner_(owner), progress_(executor), ended_(executor) {}

Readers::~Readers() { assert(reading_ == 0 && "Readers destroyed with reads under way: stop() them first"); }

std::unique_ptr<Stream> Readers::open(FileIndex file, ReaderProgram const& program) {
    auto const& metainfo = download_.metainfo();
    auto const where = metainfo.file_layout().range(file);
    auto const id = next_id_;
    ++next_id_;
    auto const kind = program_kind(program.name, settings_);
    Demand demand(metainfo.pieces(), where, kind == ProgramKind::copier, clock_.now());
    if (kind == ProgramKind::scanner) demand.want_only_reads();
    auto& reader = readers_.emplace(id, Reader(std::move(demand), file, where, kind)).first->second;
    auto const pieces = metainfo.pieces().pieces(where);
    for (auto piece = pieces.first; piece != pieces.end; ++piece)
        reader.missing += download_.have().test(piece) ? 0u : 1u;
    auto stream = std::make_unique<OpenStream>(*this, id);
    reader.stream = stream.get();
    reader.opened = clock_.now();
    reader.program = program;
    owner_.readers_changed(take_other_files());
    return stream;
}

void Readers::close(ReaderId id) {
    auto& reader = readers_.at(id);
    auto const file = reader.file;
    count_wishes(reader, 0);
    readers_.erase(id);
    if (std::ranges::none_of(readers_, [file](auto const& other) { return other.second.file == file; })) kept_.erase(file);
    download_.drop_reader(id);
    owner_.readers_changed(take_other_files());
}

bool Readers::take_other_files() {
    auto const before = std::exchange(told_files_, files());
    return told_files_ != before;
}

std::optional<std::vector<SharedBytes>> Readers::try_read(ReaderId id, ByteRange range) {
    auto slices = peek(id, range);
    if (slices) ReadGuard(*this, id, range).answered();
    return slices;
}

void Readers::hint(ReaderId id, MediaHints hints) {
    auto& reader = readers_.at(id);
    auto const& layout = download_.metainfo().pieces();
    auto ranges = hints.first;
    ranges.insert(ranges.end(), hints.later.begin(), hints.later.end());
    auto& index = kept_.try_emplace(reader.file, download_.statistics().kept_index_bytes).first->second;
    index.want(ranges, reader.where, layout);
    for (auto const& part : index.missing(reader.where)) keep_index(index, layout.piece_at(part.begin));
    reader.demand.hint(std::move(hints));
    refresh(id, reader);
}

std::optional<std::vector<SharedBytes>> Readers::peek(ReaderId id, ByteRange range) const {
    if (stopping_) return std::nullopt;
    auto const& metainfo = download_.metainfo();
    auto const& layout = metainfo.pieces();
    auto const bytes = metainfo.file_layout().in_torrent(readers_.at(id).file, range);
    auto const pieces = layout.pieces(bytes);
    std::vector<SharedBytes> slices;
    for (auto piece = pieces.first; piece != pieces.end; ++piece) {
        if (!download_.have().test(piece)) return std::nullopt;
        auto const begin = layout.begin(piece);
        ByteRange const part{std::max(bytes.begin, begin) - begin,
                             std::min(bytes.end - begin, std::uint64_t{layout.bytes(piece)})};
        auto slice = in_memory(readers_.at(id).file, piece, part);
        if (!slice) return std::nullopt;
        slices.push_back(std::move(*slice));
    }
    return slices;
}

// A scanner that has had its share of the file gets what is there and no more.
void Readers::check_budget(ReaderId id, ByteRange range) {
    auto const& reader = readers_.at(id);
    if (reader.kind != ProgramKind::scanner) return;
    auto const& metainfo = download_.metainfo();
    auto const pieces = metainfo.pieces().pieces(metainfo.file_layout().in_torrent(reader.file, range));
    for (auto piece = pieces.first; piece != pieces.end; ++piece)
        if (!download_.have().test(piece) &&
            !scanner_budget_.take(reader.file, piece, metainfo.pieces().piece_bytes(), settings_.scanner_budget_bytes))
            throw_error(Errc::not_allowed,
                        "this program has looked at as much of the file as stream.scanner_budget allows");
}

asio::awaitable<std::vector<SharedBytes>> Readers::read(ReaderId id, ByteRange range) {
    if (stopping_) throw_error(Errc::removed, "the torrent was removed");
    check_budget(id, range);
    ReadGuard guard(*this, id, range);
    refresh(id, readers_.at(id));
    auto const& metainfo = download_.metainfo();
    auto const& layout = metainfo.pieces();
    auto const file = readers_.at(id).file;
    auto const bytes = metainfo.file_layout().in_torrent(file, range);
    auto const pieces = layout.pieces(bytes);
    std::vector<SharedBytes> slices;
    for (auto piece = pieces.first; piece != pieces.end; ++piece) {
        auto const begin = layout.begin(piece);
        ByteRange const part{std::max(bytes.begin, begin) - begin,
                             std::min(bytes.end - begin, std::uint64_t{layout.bytes(piece)})};
        slices.push_back(co_await read_part(file, piece, part, guard));
    }
    guard.answered();
    co_return slices;
}

asio::awaitable<SharedBytes> Readers::read_part(FileIndex file, PieceIndex piece, ByteRange range, ReadGuard& guard) {
    for (;;) {
        co_await wait_for(piece, guard);
        if (auto bytes = in_memory(file, piece, range)) co_return std::move(*bytes);
        try {
            auto bytes = co_await download_.store().read(piece, range);
            keep_index(file, piece, range, bytes);
            co_return bytes;
        } catch (boost::system::system_error const&) {
            if (download_.have().test(piece)) throw;  // else the store dropped a damaged piece, which is fetched again
        }
    }
}

asio::awaitable<void> Readers::wait_for(PieceIndex piece, ReadGuard& guard) {
    while (stopping_ || !download_.have().test(piece)) {
        if (stopping_) throw_error(Errc::removed, "the torrent was removed");
        if (auto const forbidden = owner_.reading_forbidden()) throw_error(*forbidden);
        guard.set_waiting(true);
        co_await progress_.wait();
    }
    guard.set_waiting(false);
}

void Readers::refresh(ReaderId id, Reader& reader) {
    auto const now = clock_.now();
    reader.refreshed = now;
    reader.due = reader.demand.next_change(now);
    if (reader.missing == 0 && reader.wishes == 0) return;
    if (reader.restless && now - reader.jumped < kJumpy && download_.seeks_too_much()) {
        reader.due = now;  // at the next tick
        return;
    }
    auto wishes =
        reader.missing == 0 ? std::vector<Wish>() : reader.demand.wishes(download_.have(), download_.goodput(now), now);
    reader.lacks_soon = !reader.demand.greedy() && std::ranges::any_of(wishes, [now](Wish const& wish) {
        return wish.urgency == Urgency::blocked_player || (wish.urgency == Urgency::player && wish.deadline < now + kSoon);
    });
    tell(id, reader, std::move(wishes));
}

void Readers::tell(ReaderId id, Reader& reader, std::vector<Wish> wishes) {
    auto const wishing = wishing_ + (reader.wishes == 0 ? 1u : 0u);
    auto const most = std::max(kLeastWishes, kWishesOfAll / wishing);
    if (wishes.size() > most) wishes.resize(most);
    count_wishes(reader, wishes.size());
    download_.set_wishes(id, std::move(wishes));
}

void Readers::count_wishes(Reader& reader, std::size_t wishes) {
    wishing_ += wishes > 0 ? 1u : 0u;
    wishing_ -= reader.wishes > 0 ? 1u : 0u;
    wishes_ += wishes;
    wishes_ -= reader.wishes;
    reader.wishes = wishes;
}

void Readers::piece_stored(PieceIndex piece) {
    auto const range = download_.metainfo().pieces().range(piece);
    for (auto& [id, reader] : readers_)
        if (range.begin < reader.where.end && reader.where.begin < range.end && reader.missing > 0) --reader.missing;
    for (auto& [file, index] : kept_) keep_index(index, piece);
    progress_.notify();
}

void Readers::pieces_lost() {
    auto const& layout = download_.metainfo().pieces();
    for (auto& [id, reader] : readers_) {
        auto const pieces = layout.pieces(reader.where);
        reader.missing = 0;
        for (auto piece = pieces.first; piece != pieces.end; ++piece)
            reader.missing += download_.have().test(piece) ? 0u : 1u;
        refresh(id, reader);
    }
    progress_.notify();
}

void Readers::look_again() { progress_.notify(); }

void Readers::tick() {
    auto const now = clock_.now();
    auto next = readers_.lower_bound(tick_from_);
    std::size_t refreshed = 0;
    for (std::size_t looked = 0; looked < readers_.size() && refreshed < kRefreshesATick; ++looked, ++next) {
        if (next == readers_.end()) next = readers_.begin();
        auto& [id, reader] = *next;
        if (reader.missing == 0 || (!reader.demand.blocked() && reader.due > now)) continue;
        refresh(id, reader);
        ++refreshed;
    }
    tick_from_ = next == readers_.end() ? ReaderId() : next->first;
}

bool Readers::active(TimePoint now) const {
    return std::any_of(readers_.begin(), readers_.end(), [now](auto const& entry) {
        auto const& reader = entry.second;
        return reader.missing > 0 &&
               (reader.wishes > 0 || reader.demand.blocked() || now - reader.refreshed < std::chrono::seconds(60));
    });
}

double Readers::needed() const {
    double sum = 0;
    for (auto const& [id, reader] : readers_)
        if (reader.lacks_soon && reader.missing > 0 && reader.kind != ProgramKind::scanner) sum += reader.demand.rate();
    return sum;
}

std::set<FileIndex> Readers::files() const {
    std::set<FileIndex> files;
    for (auto const& [id, reader] : readers_)
        if (reader.kind != ProgramKind::scanner) files.insert(reader.file);
    return files;
}

asio::awaitable<void> Readers::stop() {
    stopping_ = true;
    while (reading_ > 0) {
        progress_.notify();
        co_await ended_.wait();
    }
    for (auto& [id, reader] : readers_) reader.stream->detach();
    readers_.clear();
}

}  // namespace rqfs::torrent
