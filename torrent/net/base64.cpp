#include "torrent/net/base64.h"

#include <cstddef>
#include <cstdint>

namespace rqfs::torrent {

std::string base64(std::string_view bytes) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        auto const part = bytes.substr(i, 3);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = group << 8 | (k < part.size() ? static_cast<unsigned char>(part[k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k) out += k <= part.size() ? digits[group >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

}  // namespace rqfs::torrent
