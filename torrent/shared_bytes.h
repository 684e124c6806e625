#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace rqfs::torrent {

// An immutable, reference-counted slice of bytes: whoever holds a copy keeps the memory, so a slow reply never sees
// evicted data and nothing is copied. Any thread may hold, copy and drop one.
class SharedBytes {
public:
    SharedBytes() = default;
    explicit SharedBytes(std::vector<std::byte> bytes) {
        auto const owner = std::make_shared<std::vector<std::byte> const>(std::move(bytes));
        bytes_ = *owner;
        owner_ = owner;
    }
    // `bytes` lie inside what `owner` keeps alive.
    SharedBytes(std::shared_ptr<void const> owner, std::span<std::byte const> bytes)
        : owner_(std::move(owner)), bytes_(bytes) {}

    std::span<std::byte const> bytes() const { return bytes_; }
    std::byte const* data() const { return bytes_.data(); }
    std::size_t size() const { return bytes_.size(); }
    bool empty() const { return bytes_.empty(); }

    // The part [offset, offset + length) of this slice, sharing its memory.
    SharedBytes slice(std::size_t offset, std::size_t length) const { return {owner_, bytes_.subspan(offset, length)}; }

private:
    std::shared_ptr<void const> owner_;
    std::span<std::byte const> bytes_;
};

}  // namespace rqfs::torrent
