#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rqfs::torrent {

// A set of small numbers below size(), kept as words so that "the next one that both have" costs a word, not a number.
//
// A value; any thread. Numbers passed in are below size().
class IndexSet {
public:
    IndexSet() = default;
    explicit IndexSet(std::uint32_t size, bool all = false)
        : words_((std::size_t{size} + 63) / 64, all ? ~std::uint64_t{0} : 0), size_(size), count_(all ? size : 0) {
        if (all && size % 64 != 0) words_.back() = (std::uint64_t{1} << (size % 64)) - 1;
    }

    std::uint32_t size() const { return size_; }
    std::uint32_t count() const { return count_; }

    bool test(std::uint32_t i) const { return (words_[i / 64] >> (i % 64) & 1) != 0; }
    // Both tell whether that changed anything.
    bool set(std::uint32_t i) {
        if (test(i)) return false;
        words_[i / 64] |= std::uint64_t{1} << (i % 64);
        ++count_;
        return true;
    }
    bool clear(std::uint32_t i) {
        if (!test(i)) return false;
        words_[i / 64] &= ~(std::uint64_t{1} << (i % 64));
        --count_;
        return true;
    }
    // Empty and of another size, without giving its memory back.
    void reset(std::uint32_t size) {
        words_.assign((std::size_t{size} + 63) / 64, 0);
        size_ = size;
        count_ = 0;
    }

    // The first member at or after `from`; size() when there is none.
    std::uint32_t next(std::uint32_t from) const {
        return scan(from, [this](std::size_t word) { return words_[word]; });
    }
    // The last member below `end`; size() when there is none.
    std::uint32_t previous(std::uint32_t end) const {
        if (end == 0) return size_;
        std::size_t word = (end - 1) / 64;
        std::uint64_t bits = words_[word] & (~std::uint64_t{0} >> (63 - (end - 1) % 64));
        while (bits == 0) {
            if (word == 0) return size_;
            bits = words_[--word];
        }
        return static_cast<std::uint32_t>(word * 64 + 63 - static_cast<unsigned>(std::countl_zero(bits)));
    }
    // The first member at or after `from` that `other`, of the same size, has too; size() when there is none.
    std::uint32_t next_common(IndexSet const& other, std::uint32_t from) const {
        return scan(from, [&](std::size_t word) { return words_[word] & other.words_[word]; });
    }
    bool intersects(IndexSet const& other) const { return next_common(other, 0) != size_; }

    friend bool operator==(IndexSet const&, IndexSet const&) = default;

private:
    template <class Word>
    std::uint32_t scan(std::uint32_t from, Word word_at) const {
        if (from >= size_) return size_;
        std::size_t word = from / 64;
        std::uint64_t bits = word_at(word) & (~std::uint64_t{0} << (from % 64));
        while (bits == 0) {
            if (++word == words_.size()) return size_;
            bits = word_at(word);
        }
        return static_cast<std::uint32_t>(word * 64 + static_cast<unsigned>(std::countr_zero(bits)));
    }

    std::vector<std::uint64_t> words_;
    std::uint32_t size_ = 0;
    std::uint32_t count_ = 0;
};

}  // namespace rqfs::torrent
