#pragma once

#include "fs/media_bytes.h"
#include "torrent/media_hints.h"
#include "torrent/units.h"

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace rqfs::fs {

// What a container's walk (below) asks and says while it reads its way to the index: the bytes it wants, the ranges and
// the duration it finds. Pure.
//
// It keeps the walk within limits whatever the bytes say (fs/settings.h, kMedia...): so many steps, of which so many
// lead elsewhere in the file; so many ranges of so many bytes together. A walk over its limits is never resumed.
class MediaScan {
public:
    explicit MediaScan(std::uint64_t file_bytes) : file_bytes_(file_bytes) {}

    std::uint64_t file_bytes() const { return file_bytes_; }

    class Bytes {
    public:
        bool await_ready() const noexcept { return ready_; }
        void await_suspend(std::coroutine_handle<>) const noexcept {}
        MediaBytes await_resume() const noexcept { return ready_ ? MediaBytes() : MediaBytes(scan_.bytes_); }

    private:
        friend class MediaScan;
        Bytes(MediaScan& scan, bool ready) : scan_(scan), ready_(ready) {}
        MediaScan& scan_;
        bool ready_;
    };

    // For `co_await`: the bytes of the file from `begin`, at most `count` and kMediaStepBytes, fewer at its end. They
    // are valid until the next ones are asked for.
    Bytes bytes(std::uint64_t begin, std::uint64_t count);

    // It is this container for certain: hints may be given.
    void recognized() { recognized_ = true; }
    void needed_first(torrent::ByteRange range) { need(hints_.first, range); }
    void needed_later(torrent::ByteRange range) { need(hints_.later, range); }
    // As `units` of which `per_second` make a second. What no film lasts is taken for unknown.
    void lasts(std::uint64_t units, std::uint64_t per_second);
    void index_known() { hints_.index_known = true; }

    // For the owner of the walk: what it waits for; `bytes` are exactly that.
    std::optional<torrent::ByteRange> wanted() const { return wanted_; }
    void give(std::span<std::byte const> bytes);
    // What is known so far, with the bytes waited for among what is needed.
    torrent::MediaHints hints() const;

private:
    bool known(torrent::ByteRange range) const;
    void need(std::vector<torrent::ByteRange>& ranges, torrent::ByteRange range);

    std::uint64_t file_bytes_;
    torrent::MediaHints hints_;
    std::optional<torrent::ByteRange> wanted_;
    std::span<std::byte const> bytes_;
    std::uint64_t last_end_ = 0;     // of the bytes asked for last
    std::uint64_t index_bytes_ = 0;  // of all ranges
    std::size_t steps_ = 0;
    std::size_t jumps_ = 0;
    bool recognized_ = false;
};

// The way through one container as straight code: a coroutine that waits for MediaScan::bytes() alone. It begins when
// it is called, and is resumed when its bytes have been given.
class MediaWalk {
public:
    struct promise_type {
        MediaWalk get_return_object() { return MediaWalk(Handle::from_promise(*this)); }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() {}
        [[noreturn]] void unhandled_exception() { throw; }
    };

    MediaWalk() = default;
    MediaWalk(MediaWalk&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    MediaWalk& operator=(MediaWalk&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~MediaWalk() {
        if (handle_) handle_.destroy();
    }

    explicit operator bool() const { return handle_ && !handle_.done(); }
    void resume() { handle_.resume(); }

private:
    using Handle = std::coroutine_handle<promise_type>;
    explicit MediaWalk(Handle handle) : handle_(handle) {}

    Handle handle_;
};

// One for each container; fs/media_mp4.cpp and its neighbours. The scan outlives the walk.
MediaWalk walk_mp4(MediaScan& scan);
MediaWalk walk_matroska(MediaScan& scan);
MediaWalk walk_avi(MediaScan& scan);
MediaWalk walk_zip(MediaScan& scan);
MediaWalk walk_iso(MediaScan& scan);

}  // namespace rqfs::fs
