#include "tests/support/memory_stream.h"

#include "torrent/event.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cstring>
#include <deque>
#include <span>
#include <vector>

namespace rqfs::tests {

namespace asio = boost::asio;

namespace {

// Bytes on their way in one direction.
class Pipe {
public:
    Pipe(asio::any_io_executor const& executor, MemoryStreamOptions const& options)
        : options_(options), readable_(executor), writable_(executor) {}

    asio::awaitable<std::size_t> read_some(asio::mutable_buffer buffer) {
        for (;;) {
            if (reader_closed_) throw boost::system::system_error(asio::error::operation_aborted);
            if (parcels_.empty() && ended_) throw boost::system::system_error(asio::error::eof);
            if (parcels_.empty())
                co_await readable_.wait();
            else if (options_.clock != nullptr && parcels_.front().arrives > options_.clock->now())
                co_await options_.clock->wait_until(parcels_.front().arrives);
            else
                break;
        }
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

    struct Parcel {
        std::vector<std::byte> bytes;
        std::size_t taken = 0;
        torrent::TimePoint arrives;
    };

    void put(std::span<std::byte const> bytes) {
        unread_ += bytes.size();
        while (!bytes.empty()) {
            auto const part = bytes.first(std::min(kParcelBytes, bytes.size()));
            parcels_.push_back({{part.begin(), part.end()}, 0, arrival(part.size())});
            bytes = bytes.subspan(part.size());
        }
        readable_.notify();
    }

    torrent::TimePoint arrival(std::size_t bytes) {
        if (options_.clock == nullptr) return {};
        free_at_ = std::max(free_at_, options_.clock->now());
        if (options_.bytes_per_second != 0)
            free_at_ += std::chrono::nanoseconds(1'000'000'000ull * bytes / options_.bytes_per_second);
        return free_at_ + options_.latency;
    }

    std::size_t take(std::span<std::byte> room) {
        std::size_t taken = 0;
        while (!parcels_.empty() && taken < room.size()) {
            auto& parcel = parcels_.front();
            if (options_.clock != nullptr && parcel.arrives > options_.clock->now()) break;
            auto const part = std::min(room.size() - taken, parcel.bytes.size() - parcel.taken);
            std::memcpy(room.data() + taken, parcel.bytes.data() + parcel.taken, part);
            parcel.taken += part;
            taken += part;
            if (parcel.taken == parcel.bytes.size()) parcels_.pop_front();
        }
        unread_ -= taken;
        return taken;
    }

    MemoryStreamOptions options_;
    torrent::Event readable_;
    torrent::Event writable_;
    std::deque<Parcel> parcels_;
    std::size_t unread_ = 0;
    torrent::TimePoint free_at_{};
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
    auto const there = std::make_shared<Pipe>(executor, options);
    auto const back = std::make_shared<Pipe>(executor, options);
    return {std::make_unique<MemoryStream>(back, there, options.first, options.second),
            std::make_unique<MemoryStream>(there, back, options.second, options.first)};
}

}  // namespace rqfs::tests
