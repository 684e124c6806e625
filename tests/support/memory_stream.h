#pragma once

#include "tests/support/virtual_clock.h"
#include "torrent/endpoint.h"
#include "torrent/net/stream_socket.h"
#include "torrent/units.h"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace rqfs::tests {

// One way out of a host or into it: carries the bytes of all its streams, one parcel after the other.
struct MemoryLink {
    std::uint64_t bytes_per_second = 0;  // 0: at once
    torrent::TimePoint free_at{};        // nothing new gets through before
};

// A host's two ways; none: no limit.
struct MemoryLinks {
    std::shared_ptr<MemoryLink> up;
    std::shared_ptr<MemoryLink> down;
};

// How a pair of memory streams carries bytes.
struct MemoryStreamOptions {
    std::size_t buffered_bytes = 1u << 20;     // a writer waits while this much is unread or under way
    std::size_t most_bytes_a_read = SIZE_MAX;  // cuts what arrives into pieces
    torrent::Duration latency{0};              // one way; needs a clock, as do links
    MemoryLinks first_links;
    MemoryLinks second_links;
    VirtualClock* clock = nullptr;
    torrent::Endpoint first{torrent::Address::v4({10, 0, 0, 1}), 1001};  // of the first stream, as the second sees it
    torrent::Endpoint second{torrent::Address::v4({10, 0, 0, 2}), 1002};
};

struct MemoryStreams {
    std::unique_ptr<torrent::StreamSocket> first;
    std::unique_ptr<torrent::StreamSocket> second;
};

// Two connected ends in memory: no system call, and no time but that of the clock given.
MemoryStreams memory_streams(boost::asio::any_io_executor const& executor, MemoryStreamOptions const& options = {});

}  // namespace rqfs::tests
