#include "torrent/peer/receive_buffer.h"

#include "torrent/settings.h"

#include <sys/mman.h>

#include <cassert>
#include <cstring>
#include <new>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kPageBytes = 4096;
// One page more than a receive needs: a bitfield of limit::kPieces is 256 KiB and its 5 bytes of header.
constexpr std::size_t kCapacity = limit::kReceiveBufferBytes + kPageBytes;
static_assert(kCapacity >= limit::kPieces / 8 + 5, "the longest message fits");

}  // namespace

ReceiveBuffer::ReceiveBuffer() {
    void* const mapped = mmap(nullptr, kCapacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    memory_ = static_cast<std::byte*>(mapped);
}

ReceiveBuffer::~ReceiveBuffer() { munmap(memory_, kCapacity); }

void ReceiveBuffer::consume(std::size_t bytes) {
    assert(bytes <= end_ - begin_);
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
}

std::span<std::byte> ReceiveBuffer::free_space() {
    if (begin_ > 0) {
        std::memmove(memory_, memory_ + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    return {memory_ + end_, kCapacity - end_};
}

void ReceiveBuffer::received(std::size_t bytes) {
    assert(bytes <= kCapacity - end_);
    end_ += bytes;
    if (end_ > kPageBytes) touched_ = true;
}

void ReceiveBuffer::give_back_pages() {
    assert(begin_ == end_);
    // Failure only means that the pages stay.
    madvise(memory_ + kPageBytes, kCapacity - kPageBytes, MADV_DONTNEED);
    touched_ = false;
}

}  // namespace rqfs::torrent
