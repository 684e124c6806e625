#include "tests/fuzz/require.h"
#include "torrent/net/url.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

using rqfs::tests::require;
using rqfs::torrent::Url;

// What is taken can be written and read again as the same, is fit for a request line, and so is whatever it redirects
// to.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const input(reinterpret_cast<char const*>(data), size);
    auto const half = input.find('\n');
    auto const url = Url::parse(input.substr(0, half));
    if (!url) return 0;
    auto const check = [](Url const& checked) {
        auto const again = Url::parse(checked.text());
        require(again && again->host == checked.host && again->port == checked.port && again->target == checked.target,
                "text() parses to the same URL");
        for (auto const c : checked.target) require(c > ' ' && c < 0x7f, "nothing in a target ends a request line");
        require(checked.target.starts_with('/') && checked.port != 0 && !checked.host.empty(), "every part is there");
    };
    if (url->text().size() > 4096) return 0;  // the written form may be longer than may be read
    check(*url);
    if (half == std::string_view::npos) return 0;
    auto const next = url->resolve(input.substr(half + 1));
    if (next && next->text().size() < 8192) check(*next);
    return 0;
}
