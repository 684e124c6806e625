#include "cache/block_checksums.h"

#include "torrent/units.h"

#include <algorithm>
#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace rqfs::cache {

namespace {

using Bytes = std::span<std::byte const>;

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // 0x1edc6f41 with its bits reversed
constexpr std::size_t kBlock = torrent::kBlockBytes;

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        auto crc = i;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
        tables[0][i] = crc;
    }
    for (std::size_t t = 1; t < tables.size(); ++t)
        for (std::size_t i = 0; i < 256; ++i)
            tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xff];
    return tables;
}

constexpr Tables kTables = make_tables();

std::uint32_t byte_at(Bytes bytes, std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); }

std::uint32_t portable(Bytes bytes) {
    std::uint32_t crc = 0xffffffff;
    while (bytes.size() >= 8) {
        auto const low = crc ^ (byte_at(bytes, 0) | byte_at(bytes, 1) << 8 | byte_at(bytes, 2) << 16 | byte_at(bytes, 3) << 24);
        crc = kTables[7][low & 0xff] ^ kTables[6][(low >> 8) & 0xff] ^ kTables[5][(low >> 16) & 0xff] ^
              kTables[4][low >> 24] ^ kTables[3][byte_at(bytes, 4)] ^ kTables[2][byte_at(bytes, 5)] ^
              kTables[1][byte_at(bytes, 6)] ^ kTables[0][byte_at(bytes, 7)];
        bytes = bytes.subspan(8);
    }
    for (auto const byte : bytes) crc = (crc >> 8) ^ kTables[0][(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)

std::uint64_t word_at(std::byte const* bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    return word;
}

__attribute__((target("sse4.2"))) std::uint32_t sse42(Bytes bytes) {
    std::uint64_t crc = 0xffffffff;
    auto const* at = bytes.data();
    auto const* const end = at + bytes.size();
    for (; end - at >= 8; at += 8) crc = _mm_crc32_u64(crc, word_at(at));
    auto narrow = static_cast<std::uint32_t>(crc);
    for (; at != end; ++at) narrow = _mm_crc32_u8(narrow, std::to_integer<unsigned char>(*at));
    return ~narrow;
}

// The checksums of three whole blocks that lie one after the other.
__attribute__((target("sse4.2"))) void sse42_three(std::byte const* bytes, std::uint32_t* out) {
    std::uint64_t a = 0xffffffff;
    std::uint64_t b = 0xffffffff;
    std::uint64_t c = 0xffffffff;
    for (std::size_t i = 0; i < kBlock; i += 8) {
        a = _mm_crc32_u64(a, word_at(bytes + i));
        b = _mm_crc32_u64(b, word_at(bytes + kBlock + i));
        c = _mm_crc32_u64(c, word_at(bytes + 2 * kBlock + i));
    }
    out[0] = ~static_cast<std::uint32_t>(a);
    out[1] = ~static_cast<std::uint32_t>(b);
    out[2] = ~static_cast<std::uint32_t>(c);
}

#endif

}  // namespace

bool supported(Crc32c implementation) {
#if defined(__x86_64__)
    if (implementation == Crc32c::sse42) return __builtin_cpu_supports("sse4.2") != 0;
#endif
    return implementation == Crc32c::portable;
}

Crc32c fastest_crc32c() {
    static Crc32c const fastest = supported(Crc32c::sse42) ? Crc32c::sse42 : Crc32c::portable;
    return fastest;
}

std::uint32_t crc32c(Bytes bytes, [[maybe_unused]] Crc32c implementation) {
#if defined(__x86_64__)
    if (implementation == Crc32c::sse42) return sse42(bytes);
#endif
    return portable(bytes);
}

std::vector<std::uint32_t> block_checksums(Bytes bytes, Crc32c implementation) {
    std::vector<std::uint32_t> checksums((bytes.size() + kBlock - 1) / kBlock);
    std::size_t block = 0;
#if defined(__x86_64__)
    if (implementation == Crc32c::sse42)
        for (; (block + 3) * kBlock <= bytes.size(); block += 3)
            sse42_three(bytes.data() + block * kBlock, checksums.data() + block);
#endif
    for (; block < checksums.size(); ++block) {
        auto const begin = block * kBlock;
        checksums[block] = crc32c(bytes.subspan(begin, std::min(kBlock, bytes.size() - begin)), implementation);
    }
    return checksums;
}

}  // namespace rqfs::cache
