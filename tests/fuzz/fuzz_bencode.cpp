#include "tests/fuzz/require.h"
#include "torrent/metainfo/bencode.h"
#include "torrent/settings.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

using namespace rqfs::torrent;
using rqfs::tests::require;

namespace {

// Looks at every value in every way.
void walk(bencode::Value root, std::span<std::byte const> input) {
    std::vector<bencode::Value> open{root};
    std::size_t visited = 0;
    while (!open.empty()) {
        auto const value = open.back();
        open.pop_back();
        require(++visited <= limit::kBencodeTokensMessage, "no more values than the limit");
        auto const raw = value.raw();
        require(raw.data() >= input.data() && raw.data() + raw.size() <= input.data() + input.size(),
                "raw inside the input");
        auto const elements = value.elements();
        auto const pairs = value.pairs();
        require(elements.size() + pairs.size() == value.size(), "sizes agree");
        open.insert(open.end(), elements.begin(), elements.end());
        bool const doubled = value.has_duplicate_keys();
        for (auto const& [key, child] : pairs) {
            auto const found = value.find(key);
            require(found.has_value(), "a key of the pairs is found");
            require(doubled || found->raw().data() == child.raw().data(), "and it is this one");
            open.push_back(child);
        }
        auto const type = value.type();
        require(value.integer().has_value() == (type == bencode::Value::Type::integer), "an integer is one");
        require(value.text().has_value() == (type == bencode::Value::Type::string), "a string is one");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const input = std::as_bytes(std::span(data, size));
    bencode::Limits const limits{limit::kBencodeDepthMessage, limit::kBencodeTokensMessage};
    std::size_t used = 0;
    auto const document = bencode::Document::parse_prefix(input, limits, used);
    if (document) {
        require(used <= size && used > 0, "a value has bytes, and they are of the input");
        walk(document->root(), input);
        auto const exact = bencode::Document::parse(input.first(used), limits);
        require(exact.has_value(), "a prefix alone is accepted");
    }
    require(bencode::Document::parse(input, limits).has_value() == (document && used == size), "both ways agree");
    return 0;
}
