#include "torrent/net/ip_filter_text.h"

#include "torrent/limits.h"
#include "torrent/net/ip_filter_line.h"

#include <algorithm>

namespace rqfs::torrent {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// For a sentence: lists hold names in all character sets.
std::string quoted(std::string_view line) {
    constexpr std::size_t most = 60;
    std::string text = "\"";
    for (char const c : line.substr(0, most)) text += c >= 0x20 && c < 0x7f ? c : '?';
    return text + (line.size() > most ? "...\"" : "\"");
}

}  // namespace

bool IpFilterText::feed(std::string_view piece) {
    while (!piece.empty()) {
        auto const end = piece.find('\n');
        auto const part = piece.substr(0, end);
        auto const room = limit::kIpFilterLineBytes - line_.size();
        line_.append(part.substr(0, std::min(room, part.size())));
        line_too_long_ = line_too_long_ || part.size() > room;
        if (end == std::string_view::npos) return true;
        piece.remove_prefix(end + 1);
        if (!take_line()) return false;
    }
    return true;
}

bool IpFilterText::end() { return line_.empty() || take_line(); }

bool IpFilterText::take_line() {
    ++lines_;
    if (lines_ == 1 && line_.starts_with(kByteOrderMark)) line_.erase(0, kByteOrderMark.size());
    while (line_.ends_with('\r')) line_.pop_back();
    auto line = IpFilterLine::parse(line_);
    if (line_too_long_ && line.kind != IpFilterLine::Kind::blank) line = IpFilterLine{};
    if (line.kind == IpFilterLine::Kind::bad) {
        ++bad_lines_;
        if (first_bad_.empty())
            first_bad_ = name_ + ":" + std::to_string(lines_) + ": " + quoted(line_) + " names no range of addresses";
    } else if (line.kind != IpFilterLine::Kind::blank) {
        ++good_lines_;
    }
    line_.clear();
    line_too_long_ = false;
    if (line.kind != IpFilterLine::Kind::blocks) return true;
    if (into_.ranges() >= limit::kIpFilterRanges) return false;
    into_.add(line.first, line.last);
    return true;
}

}  // namespace rqfs::torrent
