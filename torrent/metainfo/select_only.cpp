#include "torrent/metainfo/select_only.h"

#include "torrent/settings.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kQuotedBytes = 40;  // of what was wrong, in an error

std::optional<std::uint32_t> parse_number(std::string_view digits) {
    std::uint32_t number = 0;
    auto const* const end = digits.data() + digits.size();
    auto const [stop, failure] = std::from_chars(digits.data(), end, number);
    if (failure != std::errc() || stop != end || number >= limit::kFiles) return {};
    return number;
}

}  // namespace

std::optional<Error> SelectOnly::add(std::string_view text) {
    while (!text.empty()) {
        auto const comma = text.find(',');
        if (auto failure = add_range(text.substr(0, comma))) return failure;
        text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    }
    return {};
}

std::optional<Error> SelectOnly::add_range(std::string_view text) {
    auto const dash = text.find('-');
    auto const first = parse_number(text.substr(0, dash));
    auto const last = dash == std::string_view::npos ? first : parse_number(text.substr(dash + 1));
    if (!first || !last || *first > *last)
        return error(Errc::malformed, "so= of the magnet link must be file numbers and ranges below " +
                                          std::to_string(limit::kFiles) + " like 0,2,6-8, not '" +
                                          std::string(text.substr(0, kQuotedBytes)) + "'");
    if (ranges_.size() >= limit::kSelectRanges)
        return error(Errc::too_large,
                     "so= of the magnet link has more than " + std::to_string(limit::kSelectRanges) + " ranges");
    ranges_.push_back({*first, *last});
    return {};
}

std::vector<FileIndex> SelectOnly::files() const {
    auto sorted = ranges_;
    std::sort(sorted.begin(), sorted.end(), [](Range const& a, Range const& b) { return a.first < b.first; });
    std::vector<FileIndex> all;
    std::uint32_t next = 0;  // everything below was looked at
    for (auto const& [first, last] : sorted)
        for (next = std::max(next, first); next <= last; ++next) all.emplace_back(next);
    return all;
}

std::string SelectOnly::text(std::vector<FileIndex> const& files) {
    std::string list;
    for (std::size_t i = 0; i < files.size();) {
        auto last = i;
        while (last + 1 < files.size() && files[last + 1] == files[last].next()) ++last;
        if (!list.empty()) list += ',';
        list += std::to_string(files[i].value());
        if (last > i) list += '-' + std::to_string(files[last].value());
        i = last + 1;
    }
    return list;
}

}  // namespace rqfs::torrent
