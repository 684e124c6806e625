#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace rqfs::fs {

// A few bytes of a container, read as its format has them. What lies behind their end is read as zero or as empty;
// where that matters, holds() tells.
class MediaBytes {
public:
    MediaBytes() = default;
    MediaBytes(std::span<std::byte const> bytes) : bytes_(bytes) {}

    std::size_t size() const { return bytes_.size(); }
    bool holds(std::size_t offset, std::size_t count) const { return offset <= size() && count <= size() - offset; }

    // The rest from `offset` on, at most `count` bytes.
    MediaBytes part(std::size_t offset, std::size_t count = SIZE_MAX) const {
        auto const begin = std::min(offset, size());
        return bytes_.subspan(begin, std::min(count, size() - begin));
    }

    // `count` bytes, 8 at most, as a number, the most or the least significant first.
    std::uint64_t big(std::size_t offset, std::size_t count) const {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < count; ++i) value = value << 8 | at(offset + i);
        return value;
    }
    std::uint64_t little(std::size_t offset, std::size_t count) const {
        std::uint64_t value = 0;
        for (std::size_t i = count; i > 0; --i) value = value << 8 | at(offset + i - 1);
        return value;
    }

    std::string_view text(std::size_t offset, std::size_t count) const {
        if (!holds(offset, count)) return {};
        return {reinterpret_cast<char const*>(bytes_.data()) + offset, count};
    }

private:
    std::uint64_t at(std::size_t offset) const {
        return offset < size() ? std::to_integer<std::uint64_t>(bytes_[offset]) : 0;
    }

    std::span<std::byte const> bytes_;
};

}  // namespace rqfs::fs
