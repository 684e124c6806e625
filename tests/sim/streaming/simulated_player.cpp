#include "tests/sim/streaming/simulated_player.h"

#include "tests/sim/streaming/simulated_time.h"

#include <algorithm>

namespace rqfs::tests {

using namespace rqfs::torrent;

namespace {

constexpr std::uint64_t kRead = 128u << 10;   // the kernel's read-ahead
constexpr std::uint64_t kIndex = 256u << 10;  // at the end of the file
constexpr std::size_t kReadsAtOnce = 2;
constexpr double kLastPlace = 0.8;  // no seek goes further, so that there is film to play

}  // namespace

SimulatedPlayer::SimulatedPlayer(Scenario const& scenario, PieceLayout const& layout, std::uint64_t seed)
    : scenario_(scenario), layout_(layout), random_(seed), touched_(layout.pieces()) {
    if (!scenario.index_at_end) return;
    auto const end = scenario.file_bytes;
    first_looks_ = {{0, kRead}, {end - kIndex, end - kIndex + kRead}, {end - kIndex + kRead, end}};
}

bool SimulatedPlayer::play(Streamer& streamer, double now, double step) {
    if (seeks_done_ < scenario_.seeks.size() && now >= scenario_.seeks[seeks_done_]) seek(now);
    bool events = answer(streamer, left_, now);
    while (answer(streamer, reads_, now) | fill(streamer, now)) events = true;
    show(now, step);
    return events;
}

void SimulatedPlayer::seek(double now) {
    if (!playing_) waits_.push_back(now - waits_since_);
    ++seeks_done_;
    first_looks_.clear();
    std::ranges::copy_if(reads_, std::back_inserter(left_), [](Read const& read) { return !read.done; });
    reads_.clear();
    auto const place = kLastPlace * random_.uniform() * static_cast<double>(scenario_.file_bytes);
    next_ = static_cast<std::uint64_t>(place) / 4096 * 4096;
    buffered_ = 0;
    playing_ = false;
    waits_since_ = now;
}

bool SimulatedPlayer::here(Streamer const& streamer, ByteRange range) const {
    auto const pieces = layout_.pieces(range);
    for (auto piece = pieces.first; piece < pieces.end; ++piece)
        if (!streamer.has(piece)) return false;
    return true;
}

bool SimulatedPlayer::start_read(Streamer& streamer, ByteRange range, double now) {
    range.end = std::min(range.end, scenario_.file_bytes);
    if (range.empty()) return false;
    auto const pieces = layout_.pieces(range);
    for (auto piece = pieces.first; piece < pieces.end; ++piece) touched_.set(piece);
    bool const waits = !here(streamer, range);
    auto const ticket = streamer.read_started(range, waits, at_seconds(now));
    if (!waits) streamer.read_ended(ticket, false, at_seconds(now));
    reads_.push_back({ticket, range, !waits});
    return true;
}

bool SimulatedPlayer::answer(Streamer& streamer, std::deque<Read>& reads, double now) {
    bool answered = false;
    for (Read& read : reads) {
        if (read.done || !here(streamer, read.range)) continue;
        streamer.read_ended(read.ticket, true, at_seconds(now));
        read.done = true;
        answered = true;
    }
    return answered;
}

// The player takes what is there and the kernel asks for more.
bool SimulatedPlayer::fill(Streamer& streamer, double now) {
    bool moved = false;
    if (!first_looks_.empty()) {
        if (!reads_.empty() && !reads_.front().done) return false;
        if (!reads_.empty()) {
            reads_.clear();
            first_looks_.pop_front();
        }
        if (!first_looks_.empty()) return start_read(streamer, first_looks_.front(), now);
        moved = true;
    }
    while (buffered_ < scenario_.player_seconds * scenario_.film_bytes) {
        bool const asked =
            reads_.size() < kReadsAtOnce && start_read(streamer, {next_, (next_ / kRead + 1) * kRead}, now);
        if (asked) next_ = (next_ / kRead + 1) * kRead;
        bool const taken = !reads_.empty() && reads_.front().done;
        if (taken) {
            buffered_ += static_cast<double>(reads_.front().range.size());
            reads_.pop_front();
        }
        if (!asked && !taken) break;
        moved = true;
    }
    return moved;
}

void SimulatedPlayer::show(double now, double step) {
    if (!playing_) {
        if (buffered_ < scenario_.start_bytes) return;
        playing_ = true;
        waits_.push_back(now - waits_since_);
        return;
    }
    buffered_ -= scenario_.film_bytes * step;
    if (buffered_ > 0) return;
    buffered_ = 0;
    if (next_ < scenario_.file_bytes) stalled_ += step;
}

std::vector<double> SimulatedPlayer::waits(double end) const {
    auto waits = waits_;
    if (!playing_) waits.push_back(end - waits_since_);
    return waits;
}

std::uint64_t SimulatedPlayer::read_bytes() const {
    std::uint64_t bytes = 0;
    for (PieceIndex piece; piece.value() < layout_.pieces(); ++piece)
        if (touched_.test(piece)) bytes += layout_.bytes(piece);
    return bytes;
}

}  // namespace rqfs::tests
