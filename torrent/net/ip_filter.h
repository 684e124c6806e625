#pragma once

#include "torrent/endpoint.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rqfs::torrent {

// Ranges of addresses that the user wants nothing to do with. Pure and immutable once made, so that threads may share
// it; 8 bytes a range of IPv4 (1,000,000 ranges take 8 MB) and 32 of IPv6. IPv4-mapped IPv6 addresses are IPv4, as in
// Address.
class IpFilter {
public:
    class Builder;

    IpFilter() = default;  // blocks nobody

    bool blocks(Address const& address) const;
    bool empty() const { return v4_.empty() && v6_.empty(); }
    // Of which none touches another.
    std::size_t ranges() const { return v4_.size() + v6_.size(); }
    std::size_t memory_bytes() const;

private:
    template <class Value>
    struct Range {
        Value first{};
        Value last{};  // belongs to it
    };
    using V4 = std::uint32_t;  // host order, which sorts as addresses do
    using V6 = std::array<std::uint8_t, 16>;

    // Sorted, apart from each other.
    std::vector<Range<V4>> v4_;
    std::vector<Range<V6>> v6_;
};

// Collects ranges in any order; they may overlap.
class IpFilter::Builder {
public:
    // Both of one family, first <= last.
    void add(Address const& first, Address const& last);
    // As many as were added.
    std::size_t ranges() const { return made_.ranges(); }
    IpFilter build() &&;

private:
    IpFilter made_;  // not yet sorted
};

}  // namespace rqfs::torrent
