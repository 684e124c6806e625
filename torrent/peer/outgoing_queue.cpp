#include "torrent/peer/outgoing_queue.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kKeptControlBytes =
    64u << 10;  // a larger buffer is freed after use: a bitfield of 256 KiB goes out once

}  // namespace

void OutgoingQueue::add_block(Request const& request, SharedBytes bytes) {
    assert(bytes.size() == request.length);
    block_bytes_ += bytes.size();
    blocks_.push_back(Block{request, piece_header(request.piece, request.begin, request.length), std::move(bytes)});
}

bool OutgoingQueue::remove_block(Request const& request) {
    auto const found =
        std::find_if(blocks_.begin(), blocks_.end(), [&](Block const& b) { return b.request == request; });
    if (found == blocks_.end()) return false;
    block_bytes_ -= found->bytes.size();
    blocks_.erase(found);
    return true;
}

std::vector<OutgoingQueue::Request> OutgoingQueue::remove_blocks_if(
    std::function<bool(Request const&)> const& condition) {
    std::vector<Request> removed;
    std::erase_if(blocks_, [&](Block const& block) {
        if (!condition(block.request)) return false;
        block_bytes_ -= block.bytes.size();
        removed.push_back(block.request);
        return true;
    });
    return removed;
}

std::span<boost::asio::const_buffer const> OutgoingQueue::begin_write(std::size_t most_block_bytes) {
    assert(writing_control_.empty() && writing_blocks_.empty());
    std::swap(control_, writing_control_);
    std::size_t taken = 0;
    while (!blocks_.empty() && (taken == 0 || taken + blocks_.front().bytes.size() <= most_block_bytes)) {
        taken += blocks_.front().bytes.size();
        writing_blocks_.push_back(std::move(blocks_.front()));
        blocks_.pop_front();
    }
    buffers_.clear();
    if (!writing_control_.empty()) buffers_.emplace_back(writing_control_.data(), writing_control_.size());
    for (Block const& block : writing_blocks_) {
        buffers_.emplace_back(block.header.data(), block.header.size());
        buffers_.emplace_back(block.bytes.data(), block.bytes.size());
    }
    return buffers_;
}

std::size_t OutgoingQueue::end_write() {
    std::size_t written = 0;
    for (Block const& block : writing_blocks_) written += block.bytes.size();
    block_bytes_ -= written;
    writing_blocks_.clear();
    writing_control_.clear();
    if (writing_control_.capacity() > kKeptControlBytes) writing_control_ = {};
    return written;
}

}  // namespace rqfs::torrent
