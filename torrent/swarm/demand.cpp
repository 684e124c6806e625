#include "torrent/swarm/demand.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <tuple>

namespace rqfs::torrent {

namespace {

using std::chrono::seconds;

constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::uint64_t kFirstWindow = 4 * kMiB;       // engine 2.3: W0, or two pieces
constexpr std::uint64_t kReorderedBytes = 256u << 10;  // two reads of the kernel, of which the later one may come first
constexpr std::uint64_t kLeastWindow = 8 * kMiB;       // grown: 20 s of the rate within these
constexpr std::uint64_t kMostWindow = 48 * kMiB;
constexpr std::uint64_t kHealthyWindow = 96 * kMiB;  // 60 s of the rate, at most this, while 30 s are here
constexpr double kWindowSeconds = 20;
constexpr double kHealthySeconds = 60;
constexpr double kHealthyAhead = 30;
constexpr std::uint64_t kMostZone = 8 * kMiB;  // rain: 1 % of the file, at most 8 MiB, at either end
constexpr std::uint64_t kZoneShare = 100;
constexpr std::uint32_t kSmallFilePieces = 16;  // the ends of such a file are near anyway
constexpr std::chrono::milliseconds kHeadWithin{2000};
constexpr std::chrono::milliseconds kTailWithin{3000};
// Who reads on has what it needs of them to begin with; the film comes first.
constexpr std::chrono::milliseconds kEndsWhilePlaying{10'000};
// Until the reader is seen to read on, the very end may be what it asks for next (an .mp4 with its index there); what of
// the film has to come before it all the same, PiecePicker sees from the rates.
constexpr std::chrono::milliseconds kFirstTailWithin{500};
// Of it so much: with 1 MiB a whole piece more comes before the film's second, which then stops after its first.
constexpr std::uint64_t kVeryEnd = 256u << 10;
constexpr std::chrono::milliseconds kIndexWithin{2000};  // what players read of it before they begin; once it plays
constexpr double kLeastFilm = 2e3;                       // bytes a second; a duration that gives other figures is not
constexpr double kMostFilm = 25e6;                       // believed: Ultra HD Blu-ray has 16e6, speech 2e3
constexpr std::chrono::seconds kLeftWithin{5};           // a read that lasts so long may have somebody who waits for it
constexpr std::chrono::milliseconds kStoreTime{10};      // disk and waking
constexpr std::chrono::seconds kRefresh{1};              // deadlines and windows follow rate and goodput

std::uint64_t zone_of(ByteRange where, PieceLayout const& layout) {
    return std::max<std::uint64_t>(std::min(where.size() / kZoneShare, kMostZone), layout.piece_bytes());
}

Duration in_time(double in_seconds) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(in_seconds));
}

}  // namespace

// Wishes by piece, the most urgent of each.
class Demand::Collector {
public:
    Collector(PieceLayout const& layout, Bitfield const& have) : layout_(layout), have_(have) {}

    Bitfield const& have() const { return have_; }

    // Each missing piece of the range in the torrent, at most kMostWishes of one call.
    template <class Deadline>
    void want(ByteRange range, Urgency urgency, Deadline deadline, bool index = false) {
        auto const pieces = layout_.pieces(range);
        std::size_t added = 0;
        for (auto piece = pieces.first; piece < pieces.end && added < kMostWishes; ++piece) {
            if (have_.test(piece)) continue;
            ++added;
            Wish const wish{piece, deadline(piece), urgency, index};
            auto const [known, is_new] = wishes_.try_emplace(piece, wish);
            if (is_new) continue;
            bool const either = index || known->second.index;
            if (order(wish) < order(known->second)) known->second = wish;
            known->second.index = either;
        }
    }

    std::vector<Wish> sorted() const {
        std::vector<Wish> sorted;
        for (auto const& [piece, wish] : wishes_) sorted.push_back(wish);
        std::sort(sorted.begin(), sorted.end(), [](auto const& a, auto const& b) { return order(a) < order(b); });
        if (sorted.size() > kMostWishes) sorted.resize(kMostWishes);
        return sorted;
    }

private:
    static std::tuple<Urgency, TimePoint, PieceIndex> order(Wish const& wish) {
        return {wish.urgency, wish.deadline, wish.piece};
    }

    PieceLayout const& layout_;
    Bitfield const& have_;
    std::map<PieceIndex, Wish> wishes_;
};

Demand::Demand(PieceLayout const& layout, ByteRange where, bool known_copier, TimePoint opened)
    : layout_(layout),
      where_(where),
      zone_bytes_(zone_of(where, layout)),
      cursors_(where.size(), zone_bytes_),
      rate_(known_copier, opened),
      last_read_(opened),
      known_copier_(known_copier) {}

Demand::Ticket Demand::read_started(ByteRange range, TimePoint now) {
    range.end = std::min(range.end, where_.size());
    range.begin = std::min(range.begin, range.end);
    auto const first = last_ticket_ == 0;
    reads_.push_back({++last_ticket_, range, now});
    last_read_ = now;
    rate_.waiting(true, now);
    last_move_ = ReadCursors::Kind::sequential;
    if (range.empty()) return last_ticket_;
    auto const before = cursors_.active(now);
    auto const reach = before.empty() ? 0 : window_bytes(before.front(), speed(0), false);
    auto const move = cursors_.read(range, reach, now);
    last_move_ = move.kind;
    bool const sought = move.kind == ReadCursors::Kind::jump || move.kind == ReadCursors::Kind::settle;
    if (sought && !first) rate_.sought(now);
    if (move.kind == ReadCursors::Kind::jump && range.begin < zone_bytes_)
        ends_ = !known_copier_ && where_.size() > std::uint64_t{kSmallFilePieces} * layout_.piece_bytes();
    if (move.advance > 0) rate_.consumed(move.advance, now);
    plays_ = plays_ || reads_on(now);
    return last_ticket_;
}

void Demand::read_ended(Ticket ticket, TimePoint now) {
    auto const read =
        std::find_if(reads_.begin(), reads_.end(), [ticket](auto const& r) { return r.ticket == ticket; });
    assert(read != reads_.end());
    if (read == reads_.end()) return;
    reads_.erase(read);
    last_read_ = now;
    rate_.waiting(!reads_.empty(), now);
}

void Demand::hint(MediaHints hints) {
    hints_ = std::move(hints);
    if (hints_.index_known) {
        auto index = hints_.first;
        index.insert(index.end(), hints_.later.begin(), hints_.later.end());
        cursors_.index_at(std::move(index));
    }
    auto const in_seconds = std::chrono::duration<double>(hints_.duration).count();
    if (in_seconds <= 0) return;
    auto const film = static_cast<double>(where_.size()) / in_seconds;
    known_film_ = film >= kLeastFilm && film <= kMostFilm;
    if (known_film_) rate_.film(film);
}

ByteRange Demand::in_torrent(ByteRange range) const {
    auto const end = std::min(range.end, where_.size());
    return {where_.begin + std::min(range.begin, end), where_.begin + end};
}

// A greedy reader goes as fast as the torrent: its deadlines are then the order of the file.
double Demand::speed(double goodput) const {
    if (!rate_.greedy()) return rate_.rate();
    return std::clamp(std::max(goodput, ReaderRate::kUnknown), ReaderRate::kLeast, ReaderRate::kMost);
}

std::uint64_t Demand::window_bytes(ReadCursor const& cursor, double speed, bool healthy) const {
    std::uint64_t const piece = layout_.piece_bytes();
    if (cursors_.random()) return piece;
    auto const ahead = [speed](double in_seconds) { return static_cast<std::uint64_t>(in_seconds * speed); };
    auto const least = known_film_ ? kFirstWindow : kLeastWindow;
    auto const most = known_film_ ? kHealthyWindow : kMostWindow;
    auto const usual = std::max(std::clamp(ahead(kWindowSeconds), least, most), 3 * piece);
    if (healthy) return std::max(usual, std::min(ahead(kHealthySeconds), kHealthyWindow));
    // Doubled for every 256 KiB read in order, as the kernel grows its read-ahead: a thumbnail costs little.
    auto const doublings = std::min<std::uint64_t>(cursor.sequential / ReadCursors::kSequentialBytes, 16);
    return std::min(std::max(2 * piece, kFirstWindow) << doublings, usual);
}

bool Demand::healthy(ReadCursor const& cursor, Bitfield const& have, double speed) const {
    auto const ahead = static_cast<std::uint64_t>(kHealthyAhead * speed);
    auto const pieces = layout_.pieces(in_torrent({cursor.position, cursor.position + ahead}));
    for (auto piece = pieces.first; piece < pieces.end; ++piece)
        if (!have.test(piece)) return false;
    return true;
}

void Demand::want_window(Collector& collector, ReadCursor const& cursor, double speed, TimePoint now) const {
    auto const window = window_bytes(cursor, speed, healthy(cursor, collector.have(), speed));
    auto const behind = std::max(cursor.position, kReorderedBytes) - kReorderedBytes;
    auto const from = cursors_.random() ? cursor.position : std::max(cursor.start, behind);
    auto const deadline = [&](PieceIndex piece) {
        auto const needed =
            std::max(layout_.begin(piece), where_.begin + cursor.position) - where_.begin - cursor.position;
        auto const hashing = std::chrono::nanoseconds(layout_.bytes(piece));  // 1 GB/s
        return now + std::max(Duration::zero(), in_time(static_cast<double>(needed) / speed) - hashing - kStoreTime);
    };
    auto const urgency = gives_way(now) ? Urgency::copier : Urgency::player;
    collector.want(in_torrent({from, cursor.position + window}), urgency, deadline);
}

// Head and tail stay a fixed time ahead instead of falling due: they must not hold up a film that is being read in
// order.
void Demand::want_ends(Collector& collector, TimePoint now) const {
    if (!ends_ || hints_.index_known || rate_.greedy() || cursors_.random()) return;
    auto const size = where_.size();
    auto const within = [now](auto duration) { return [now, duration](PieceIndex) { return now + duration; }; };
    auto const reads = plays_;
    collector.want(in_torrent({0, zone_bytes_}), Urgency::player, within(reads ? kEndsWhilePlaying : kHeadWithin));
    collector.want(in_torrent({size - zone_bytes_, size}), Urgency::player,
                   within(reads ? kEndsWhilePlaying : kTailWithin));
    auto const very_end = std::min(zone_bytes_, kVeryEnd);
    if (!reads) collector.want(in_torrent({size - very_end, size}), Urgency::player, within(kFirstTailWithin), true);
}

// The same for an index whose place is known.
void Demand::want_index(Collector& collector, TimePoint now) const {
    if (known_copier_ || rate_.greedy() || cursors_.random()) return;
    auto const first = now + (plays_ ? kIndexWithin : kFirstTailWithin);
    for (auto const& range : hints_.first)
        collector.want(in_torrent(range), Urgency::player, [first](PieceIndex) { return first; }, !plays_);
    for (auto const& range : hints_.later)
        collector.want(in_torrent(range), Urgency::player, [now](PieceIndex) { return now + kTailWithin; });
}

bool Demand::reads_on(TimePoint now) const {
    auto const active = cursors_.active(now);
    return !active.empty() && active.front().sequential >= ReadCursors::kSequentialBytes;
}

// The kernel's read-ahead of a place that the reader has sought away from: nobody waits for it, yet it is answered.
bool Demand::was_left(Read const& read, TimePoint now) const {
    if (only_reads_ || cursors_.random() || now - read.since >= kLeftWithin) return false;
    auto const newest = reads_.back().range.begin;
    auto const distance = std::max(newest, read.range.begin) - std::min(newest, read.range.begin);
    return distance > ReadCursors::kSameStreamBytes;
}

std::vector<Wish> Demand::wishes(Bitfield const& have, double goodput, TimePoint now) const {
    Collector collector(layout_, have);
    auto const urgency = gives_way(now) ? Urgency::blocked_copier : Urgency::blocked_player;
    for (auto const& read : reads_) {
        auto const left = was_left(read, now);
        auto const due = left ? read.since + kLeftWithin : read.since;
        collector.want(in_torrent(read.range), left ? Urgency::player : urgency, [due](PieceIndex) { return due; });
    }
    if (only_reads_ || last_ticket_ == 0 || idle(now)) return collector.sorted();
    for (auto const& cursor : cursors_.active(now)) want_window(collector, cursor, speed(goodput), now);
    want_ends(collector, now);
    want_index(collector, now);
    return collector.sorted();
}

TimePoint Demand::next_change(TimePoint now) const {
    if (last_ticket_ == 0 || idle(now)) return TimePoint::max();
    auto next = now + kRefresh;
    if (reads_.empty()) next = std::min(next, last_read_ + kIdle);
    return std::min(next, cursors_.next_change(now).value_or(next));
}

bool Demand::blocked() const { return !reads_.empty(); }
bool Demand::greedy() const { return rate_.greedy(); }
double Demand::rate() const { return rate_.rate(); }

}  // namespace rqfs::torrent
