#pragma once

#include "torrent/clock.h"
#include "torrent/endpoint.h"
#include "torrent/net/stream_socket.h"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace rqfs::tests {

// How a pair of memory streams carries bytes.
struct MemoryStreamOptions {
    std::size_t buffered_bytes = 1u << 20;     // a writer waits while this much is unread or under way
    std::size_t most_bytes_a_read = SIZE_MAX;  // cuts what arrives into pieces
    torrent::Duration latency{0};              // one way; needs a clock
    std::uint64_t bytes_per_second = 0;        // each way; 0: at once; needs a clock
    torrent::Clock* clock = nullptr;
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
