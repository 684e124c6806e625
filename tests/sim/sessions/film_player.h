#pragma once

#include "torrent/clock.h"
#include "torrent/library.h"
#include "torrent/units.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace rqfs::tests {

// A player: reads a file in order, 128 KiB at a time and no more than its buffer ahead of what it shows, compares what
// it gets, and says how long its picture stood still. The clock and the bytes outlive it.
class FilmPlayer {
public:
    struct Film {
        double bytes_per_second = 1e6;
        torrent::ByteRange part{};  // of the file, that is played
        torrent::Duration buffer = std::chrono::seconds(10);
        torrent::Duration first = std::chrono::seconds(1);  // of the film, before there is a picture
    };

    FilmPlayer(torrent::Clock& clock, std::unique_ptr<torrent::Stream> stream, std::span<std::byte const> bytes,
               Film const& film);

    // To the end of the part; throws what reading throws.
    boost::asio::awaitable<void> play();

    bool ended() const { return ended_; }
    bool correct() const { return correct_; }
    torrent::Duration start() const { return start_; }      // from the first read to the first picture
    torrent::Duration stalled() const { return stalled_; }  // after it
    std::uint64_t read_bytes() const { return at_ - film_.part.begin; }

private:
    torrent::Duration of_film(std::uint64_t bytes) const;
    void take(std::span<torrent::SharedBytes const> slices);

    torrent::Clock& clock_;
    std::unique_ptr<torrent::Stream> stream_;
    std::span<std::byte const> bytes_;
    Film film_;
    std::uint64_t at_;
    torrent::TimePoint begin_{};
    torrent::TimePoint shown_from_{};  // when the part's first byte was shown, later by every stall
    bool shows_ = false;
    bool ended_ = false;
    bool correct_ = true;
    torrent::Duration start_{};
    torrent::Duration stalled_{};
};

}  // namespace rqfs::tests
