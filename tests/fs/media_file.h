#pragma once

#include "fs/media_index.h"
#include "torrent/media_hints.h"
#include "torrent/units.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::tests {

// Numbers as containers write them.
inline std::string big(std::uint64_t value, std::size_t bytes) {
    std::string text;
    for (auto i = bytes; i > 0; --i) text += i > sizeof value ? '\0' : static_cast<char>(value >> (8 * (i - 1)) & 0xFF);
    return text;
}
inline std::string little(std::uint64_t value, std::size_t bytes) {
    auto text = big(value, bytes);
    std::reverse(text.begin(), text.end());
    return text;
}

// A made-up file of any size: a few texts, and noise between them.
class MediaFile {
public:
    explicit MediaFile(std::uint64_t size = 0, std::string name = "film") : size_(size), name_(std::move(name)) {}

    // Behind what is there.
    MediaFile& add(std::string const& text) {
        put(size_, text);
        return *this;
    }
    MediaFile& add_noise(std::uint64_t bytes) {
        size_ += bytes;
        return *this;
    }
    MediaFile& put(std::uint64_t at, std::string const& text) {
        parts_[at] = text;
        size_ = std::max(size_, at + text.size());
        return *this;
    }

    std::uint64_t size() const { return size_; }
    std::string const& name() const { return name_; }

    std::string bytes(torrent::ByteRange range) const {
        std::string text(range.size(), '\xA5');
        for (auto const& [at, part] : parts_) {
            auto const begin = std::max(at, range.begin);
            auto const end = std::min(at + part.size(), range.end);
            if (begin < end) text.replace(begin - range.begin, end - begin, part, begin - at, end - begin);
        }
        return text;
    }

    // What is found of it, and what was asked for on the way.
    struct Found {
        torrent::MediaHints hints;
        std::vector<torrent::ByteRange> looks;
    };
    Found find() const {
        fs::MediaIndex index(size_, name_);
        Found found;
        while (auto const wanted = index.next()) {
            found.looks.push_back(*wanted);
            index.feed(std::as_bytes(std::span(std::string_view(bytes(*wanted)))));
        }
        found.hints = index.hints();
        return found;
    }
    torrent::MediaHints hints() const { return find().hints; }

private:
    std::uint64_t size_;
    std::string name_;
    std::map<std::uint64_t, std::string> parts_;
};

inline bool covers(std::vector<torrent::ByteRange> const& ranges, torrent::ByteRange range) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [range](auto const& r) { return r.begin <= range.begin && range.end <= r.end; });
}

}  // namespace rqfs::tests
