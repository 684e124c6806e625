#include "torrent/net/ip_filter.h"

#include "torrent/link_scope.h"

#include <algorithm>
#include <cassert>
#include <span>
#include <utility>

namespace rqfs::torrent {

namespace {

std::uint32_t value_of_v4(Address const& address) {
    std::uint32_t value = 0;
    for (auto const byte : address.bytes()) value = value << 8 | byte;
    return value;
}

std::array<std::uint8_t, 16> value_of_v6(Address const& address) {
    std::array<std::uint8_t, 16> value{};
    std::copy(address.bytes().begin(), address.bytes().end(), value.begin());
    return value;
}

// The address after this one; the last one has itself.
std::uint32_t after(std::uint32_t value) { return value == UINT32_MAX ? value : value + 1; }

std::array<std::uint8_t, 16> after(std::array<std::uint8_t, 16> value) {
    auto const unchanged = value;
    for (auto byte = value.rbegin(); byte != value.rend(); ++byte)
        if (++*byte != 0) return value;
    return unchanged;
}

// Sorts ranges and makes one of those that overlap or follow each other.
template <class Ranges>
void merge(Ranges& ranges) {
    std::sort(ranges.begin(), ranges.end(), [](auto const& a, auto const& b) { return a.first < b.first; });
    std::size_t kept = 0;
    for (auto const& range : ranges) {
        if (kept > 0 && range.first <= after(ranges[kept - 1].last))
            ranges[kept - 1].last = std::max(ranges[kept - 1].last, range.last);
        else
            ranges[kept++] = range;
    }
    ranges.resize(kept);
    ranges.shrink_to_fit();
}

template <class Ranges, class Value>
bool holds(Ranges const& ranges, Value const& value) {
    auto const next = std::upper_bound(ranges.begin(), ranges.end(), value,
                                       [](Value const& v, auto const& range) { return v < range.first; });
    return next != ranges.begin() && value <= std::prev(next)->last;
}

}  // namespace

bool IpFilter::blocks(Address const& scoped) const {
    auto const address = without_link_scope(scoped);  // lists know no interfaces
    return address.is_v6() ? holds(v6_, value_of_v6(address)) : holds(v4_, value_of_v4(address));
}

std::size_t IpFilter::memory_bytes() const {
    return v4_.capacity() * sizeof(Range<V4>) + v6_.capacity() * sizeof(Range<V6>);
}

void IpFilter::Builder::add(Address const& first, Address const& last) {
    assert(first.is_v6() == last.is_v6() && first <= last);
    if (first.is_v6())
        made_.v6_.push_back({value_of_v6(first), value_of_v6(last)});
    else
        made_.v4_.push_back({value_of_v4(first), value_of_v4(last)});
}

IpFilter IpFilter::Builder::build() && {
    merge(made_.v4_);
    merge(made_.v6_);
    return std::move(made_);
}

}  // namespace rqfs::torrent
