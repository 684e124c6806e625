#pragma once

#include "torrent/peer/message.h"
#include "torrent/peer/peer_connection.h"
#include "torrent/shared_bytes.h"
#include "torrent/units.h"

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <span>
#include <vector>

namespace rqfs::torrent {

// What is to be written to a peer: control messages in their order, before blocks in theirs. Blocks are gathered, not
// copied.
//
// One write is under way at a time: begin_write(), then end_write(). What is queued meanwhile waits for the next.
class OutgoingQueue {
public:
    using Request = PeerConnection::Request;

    // Append encoded messages here.
    std::vector<std::byte>& control() { return control_; }
    void add_block(Request const& request, SharedBytes bytes);

    // Takes back blocks that are not being written; gives their requests.
    bool remove_block(Request const& request);
    std::vector<Request> remove_blocks_if(std::function<bool(Request const&)> const& condition);

    bool empty() const { return control_.empty() && blocks_.empty(); }
    std::size_t control_bytes() const { return control_.size() + writing_control_.size(); }
    std::size_t block_bytes() const { return block_bytes_; }  // being written included
    std::size_t blocks() const { return blocks_.size() + writing_blocks_.size(); }

    // All control messages and blocks of at most `most_block_bytes` together, at least one block. Valid until
    // end_write().
    std::span<boost::asio::const_buffer const> begin_write(std::size_t most_block_bytes);
    // The bytes of blocks that were written.
    std::size_t end_write();

private:
    struct Block {
        Request request;
        std::array<std::byte, kPieceHeaderBytes> header;
        SharedBytes bytes;
    };

    std::vector<std::byte> control_;
    std::vector<std::byte> writing_control_;
    std::deque<Block> blocks_;
    std::vector<Block> writing_blocks_;
    std::vector<boost::asio::const_buffer> buffers_;
    std::size_t block_bytes_ = 0;
};

}  // namespace rqfs::torrent
