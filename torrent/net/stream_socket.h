#pragma once

#include "torrent/endpoint.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <span>

namespace rqfs::torrent {

// A connected byte stream to a peer: TCP now, uTP and encrypted streams later, in memory in tests. Engine thread only.
// One read and one write may be under way at a time. Errors are thrown as system_error; end of stream is
// asio::error::eof.
class StreamSocket {
public:
    virtual ~StreamSocket() = default;

    // At least one byte.
    virtual boost::asio::awaitable<std::size_t> read_some(boost::asio::mutable_buffer buffer) = 0;
    // All of them, gathered into as few system calls as possible. The bytes live until it returns.
    virtual boost::asio::awaitable<void> write(std::span<boost::asio::const_buffer const> buffers) = 0;
    // Ends both directions at once; pending operations throw. Harmless when repeated.
    virtual void close() = 0;

    virtual Endpoint local() const = 0;
    virtual Endpoint remote() const = 0;
};

}  // namespace rqfs::torrent
