#pragma once

#include <cstddef>
#include <span>

namespace rqfs::torrent {

// Where a peer's bytes land and are parsed in place. The longest message a peer may send fits, so it never grows.
//
// The memory is a mapping of its own: pages count only once touched, so a peer that says little costs a page, and
// give_back_pages() returns those of a peer that fell silent, even while a read waits on the buffer.
class ReceiveBuffer {
public:
    ReceiveBuffer();
    ReceiveBuffer(ReceiveBuffer const&) = delete;
    ReceiveBuffer& operator=(ReceiveBuffer const&) = delete;
    ~ReceiveBuffer();

    // Received and not yet consumed. Valid until free_space().
    std::span<std::byte const> unread() const { return {memory_ + begin_, end_ - begin_}; }
    void consume(std::size_t bytes);

    // Room for the next read, never empty as long as whole messages are consumed. Moves an incomplete message to the
    // front.
    std::span<std::byte> free_space();
    void received(std::size_t bytes);

    // Frees all but the first page; only when nothing is unread.
    void give_back_pages();
    bool uses_more_than_a_page() const { return touched_; }

private:
    std::byte* memory_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    bool touched_ = false;
};

}  // namespace rqfs::torrent
