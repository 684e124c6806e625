#include "tests/support/memory_stream.h"

#include "torrent/event.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace rqfs::tests {

namespace asio = boost::asio;

namespace {

// Bytes on their way in one direction: out by the writer's link, across in `latency`, in by the reader's link.
class Pipe final : public std::enable_shared_from_this<Pipe> {
public:
    Pipe(asio::any_io_executor const& executor, MemoryStreamOptions const& options, std::shared_ptr<MemoryLink> up,
         std::shared_ptr<MemoryLink> down)
        : options_(options), up_(std::move(up)), down_(std::move(down)), readable_(executor), writable_(executor) {}

    asio::awaitable<std::size_t> read_some(asio::mutable_buffer buffer) {
        while (arrived_.empty()) {
            if (reader_closed_) throw boost::system::system_error(asio::error::operation_aborted);
            if (under_way_.empty() && ended_) throw boost::system::system_error(asio::error::eof);
            co_await readable_.wait();
        }
        if (reader_closed_) throw boost::system::system_error(asio::error::operation_aborted);
        auto const bytes =
            take({static_cast<std::byte*>(buffer.data()), std::min(buffer.size(), options_.most_bytes_a_read)});
        writable_.notify();
        co_return bytes;
    }

    asio::awaitable<void> write(std::span<asio::const_buffer const> buffers) {
        for (asio::const_buffer const& buffer : buffers) {
            std::span<std::byte const> left(static_cast<std::byte const*>(buffer.data()), buffer.size());
            while (!left.empty()) {
                if (reader_closed_) throw boost::system::system_error(asio::error::broken_pipe);
                if (ended_) throw boost::system::system_error(asio::error::operation_aborted);
                auto const room = options_.buffered_bytes - std::min(options_.buffered_bytes, unread_);
                if (room == 0) {
                    co_await writable_.wait();
                    continue;
                }
                auto const now = left.first(std::min(room, left.size()));
                put(now);
                left = left.subspan(now.size());
            }
        }
    }

    void end() {
        ended_ = true;
        readable_.notify();
        writable_.notify();
    }

    void close_reader() {
        reader_closed_ = true;
        readable_.notify();
        writable_.notify();
    }

private:
    static constexpr std::size_t kParcelBytes = 16u << 10;

    void put(std::span<std::byte const> bytes) {
        unread_ += bytes.size();
        while (!bytes.empty()) {
            auto const part = bytes.first(std::min(kParcelBytes, bytes.size()));
            under_way_.emplace_back(part.begin(), part.end());
            if (options_.clock == nullptr)
                arrive();
            else
                at(pass(up_, part.size()) + options_.latency, [size = part.size()](Pipe& pipe) { pipe.come_in(size); });
            bytes = bytes.subspan(part.size());
        }
    }

    // Only now, because until it is here others may be faster.
    void come_in(std::size_t bytes) {
        at(pass(down_, bytes), [](Pipe& pipe) { pipe.arrive(); });
    }

    // Parcels never overtake each other.
    void arrive() {
        arrived_.push_back(std::move(under_way_.front()));
        under_way_.pop_front();
        readable_.notify();
    }

    // When so many bytes that are sent now are through.
    torrent::TimePoint pass(std::shared_ptr<MemoryLink> const& link, std::size_t bytes) const {
        auto const now = options_.clock->now();
        if (!link) return now;
        link->free_at = std::max(link->free_at, now);
        if (link->bytes_per_second != 0)
            link->free_at += std::chrono::nanoseconds(1'000'000'000ull * bytes / link->bytes_per_second);
        return link->free_at;
    }

    // The clock may outlive the pipe.
    template <class What>
    void at(torrent::TimePoint when, What what) {
        if (when <= options_.clock->now()) return what(*this);
        options_.clock->call_at(when, [pipe = weak_from_this(), what] {
            if (auto const still_there = pipe.lock()) what(*still_there);
        });
    }

    std::size_t take(std::span<std::byte> room) {
        std::size_t taken = 0;
        while (!arrived_.empty() && taken < room.size()) {
            auto const& parcel = arrived_.front();
            auto const part = std::min(room.size() - taken, parcel.size() - taken_of_front_);
            std::memcpy(room.data() + taken, parcel.data() + taken_of_front_, part);
            taken_of_front_ += part;
            taken += part;
            if (taken_of_front_ < parcel.size()) break;
            arrived_.pop_front();
            taken_of_front_ = 0;
        }
        unread_ -= taken;
        return taken;
    }

    MemoryStreamOptions options_;
    std::shared_ptr<MemoryLink> up_;
    std::shared_ptr<MemoryLink> down_;
    torrent::Event readable_;
    torrent::Event writable_;
    std::deque<std::vector<std::byte>> under_way_;
    std::deque<std::vector<std::byte>> arrived_;
    std::size_t taken_of_front_ = 0;
    std::size_t unread_ = 0;  // under way or arrived
    bool ended_ = false;
    bool reader_closed_ = false;
};

class MemoryStream final : public torrent::StreamSocket {
public:
    MemoryStream(std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out, torrent::Endpoint local, torrent::Endpoint remote)
        : in_(std::move(in)), out_(std::move(out)), local_(local), remote_(remote) {}
    ~MemoryStream() override { MemoryStream::close(); }

    asio::awaitable<std::size_t> read_some(asio::mutable_buffer buffer) override {
        auto const pipe = in_;
        co_return co_await pipe->read_some(buffer);
    }

    asio::awaitable<void> write(std::span<asio::const_buffer const> buffers) override {
        auto const pipe = out_;
        co_await pipe->write(buffers);
    }

    void close() override {
        in_->close_reader();
        out_->end();
    }

    torrent::Endpoint local() const override { return local_; }
    torrent::Endpoint remote() const override { return remote_; }

private:
    std::shared_ptr<Pipe> in_;
    std::shared_ptr<Pipe> out_;
    torrent::Endpoint local_;
    torrent::Endpoint remote_;
};

}  // namespace

MemoryStreams memory_streams(asio::any_io_executor const& executor, MemoryStreamOptions const& options) {
    auto const& first = options.first_links;
    auto const& second = options.second_links;
    auto const there = std::make_shared<Pipe>(executor, options, first.up, second.down);
    auto const back = std::make_shared<Pipe>(executor, options, second.up, first.down);
    return {std::make_unique<MemoryStream>(back, there, options.first, options.second),
            std::make_unique<MemoryStream>(there, back, options.second, options.first)};
}

}  // namespace rqfs::tests
