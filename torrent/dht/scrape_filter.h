#pragma once

#include "torrent/endpoint.h"
#include "torrent/error.h"

#include <array>
#include <cstddef>
#include <span>

namespace rqfs::torrent {

// How many peers of a kind a node has stored, as a Bloom filter of their addresses (BEP 33): those of many nodes can be
// united without counting a peer twice. Pure.
class ScrapeFilter {
public:
    static constexpr std::size_t kBytes = 256;

    static Result<ScrapeFilter> from_bytes(std::span<std::byte const> bytes);  // exactly 256

    void insert(Address const& address);
    void unite(ScrapeFilter const& other);
    // How many addresses are in it, more or less; a full filter counts as 6,000 and some.
    double estimate() const;
    std::span<std::byte const, kBytes> bytes() const { return bytes_; }

private:
    std::array<std::byte, kBytes> bytes_{};
};

}  // namespace rqfs::torrent
