#include "torrent/dht/scrape_filter.h"

#include "torrent/hash.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace rqfs::torrent {

namespace {

constexpr unsigned kFilterBits = ScrapeFilter::kBytes * 8;

}  // namespace

Result<ScrapeFilter> ScrapeFilter::from_bytes(std::span<std::byte const> bytes) {
    if (bytes.size() != kBytes) return error(Errc::malformed, "a scrape filter has 256 bytes");
    ScrapeFilter filter;
    std::copy(bytes.begin(), bytes.end(), filter.bytes_.begin());
    return filter;
}

void ScrapeFilter::insert(Address const& address) {
    auto const hash = sha1(std::as_bytes(address.bytes()));
    for (std::size_t const at : {std::size_t{0}, std::size_t{2}}) {
        auto const bit =
            (std::to_integer<unsigned>(hash[at]) | std::to_integer<unsigned>(hash[at + 1]) << 8) % kFilterBits;
        bytes_[bit / 8] |= std::byte{1} << (bit % 8);
    }
}

void ScrapeFilter::unite(ScrapeFilter const& other) {
    for (std::size_t i = 0; i < kBytes; ++i) bytes_[i] |= other.bytes_[i];
}

double ScrapeFilter::estimate() const {
    unsigned zeros = 0;
    for (auto const byte : bytes_) zeros += static_cast<unsigned>(std::popcount(static_cast<std::uint8_t>(~byte)));
    double const size = kFilterBits;
    auto const empty = std::min(size - 1, static_cast<double>(zeros));  // BEP 33's formula, which never takes log(1)
    if (zeros == kFilterBits) return 0;
    return std::log(std::max(1.0, empty) / size) / (2 * std::log(1 - 1 / size));
}

}  // namespace rqfs::torrent
