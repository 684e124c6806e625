#include "tests/sim/sessions/film_player.h"

#include "torrent/shared_bytes.h"

#include <algorithm>
#include <utility>

namespace rqfs::tests {

namespace asio = boost::asio;
using torrent::ByteRange;
using torrent::Duration;

namespace {

constexpr std::uint64_t kKernelRead = 128u << 10;

}  // namespace

FilmPlayer::FilmPlayer(torrent::Clock& clock, std::unique_ptr<torrent::Stream> stream, std::span<std::byte const> bytes,
                       Film const& film)
    : clock_(clock), stream_(std::move(stream)), bytes_(bytes), film_(film), at_(film.part.begin) {}

Duration FilmPlayer::of_film(std::uint64_t bytes) const {
    std::chrono::duration<double> const in_seconds(static_cast<double>(bytes) / film_.bytes_per_second);
    return std::chrono::duration_cast<Duration>(in_seconds);
}

asio::awaitable<void> FilmPlayer::play() {
    begin_ = clock_.now();
    while (at_ < film_.part.end) {
        if (shows_) {
            auto const full_until = shown_from_ + of_film(read_bytes()) - film_.buffer;
            if (full_until > clock_.now()) co_await clock_.wait_until(full_until);
        }
        ByteRange const range{at_, std::min(at_ + kKernelRead, film_.part.end)};
        auto slices = stream_->try_read(range);
        if (!slices) slices = co_await stream_->read(range);
        take(*slices);
    }
    ended_ = true;
}

void FilmPlayer::take(std::span<torrent::SharedBytes const> slices) {
    auto const now = clock_.now();
    if (auto const due = shown_from_ + of_film(read_bytes()); shows_ && now > due) {
        stalled_ += now - due;
        shown_from_ += now - due;
    }
    for (auto const& slice : slices) {
        auto const wanted = bytes_.subspan(at_, slice.size());
        correct_ = correct_ && std::equal(wanted.begin(), wanted.end(), slice.bytes().begin());
        at_ += slice.size();
    }
    if (shows_ || (of_film(read_bytes()) < film_.first && at_ < film_.part.end)) return;
    shows_ = true;
    start_ = now - begin_;
    shown_from_ = now;
}

}  // namespace rqfs::tests
