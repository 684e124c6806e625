#include "tests/fuzz/require.h"
#include "torrent/net/ip_filter_line.h"
#include "torrent/net/ip_filter_text.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

using namespace rqfs::torrent;
using rqfs::tests::require;

namespace {

void check_line(std::string_view text, IpFilter const& filter) {
    auto const line = IpFilterLine::parse(text);
    if (line.kind != IpFilterLine::Kind::blocks) return;
    require(line.first.is_v6() == line.last.is_v6() && line.first <= line.last, "a range goes upwards");
    require(filter.blocks(line.first) && filter.blocks(line.last), "what a line names is blocked");
    auto const again = IpFilterLine::parse(line.first.text() + " - " + line.last.text());
    require(again.kind == line.kind && again.first == line.first && again.last == line.last, "what we write we read");
}

}  // namespace

// A list of addresses, whole and byte by byte.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    IpFilter::Builder whole;
    IpFilter::Builder cut;
    IpFilterText list("list", whole);
    IpFilterText again("list", cut);
    require(list.feed(text) && list.end(), "so few ranges are within the limit");
    for (char const& c : text) require(again.feed(std::string_view(&c, 1)), "so few ranges are within the limit");
    again.end();
    require(list.good_lines() == again.good_lines() && list.bad_lines() == again.bad_lines(), "cuts change nothing");
    require(list.first_bad() == again.first_bad(), "cuts change nothing");
    require(whole.ranges() == cut.ranges() && whole.ranges() <= list.good_lines(), "cuts change nothing");
    auto const filter = std::move(whole).build();
    require(filter.ranges() <= list.good_lines(), "merging makes no ranges");
    if (text.find('\n') == std::string_view::npos && !text.starts_with('\xef') && size < 4'000)
        check_line(text, filter);
    return 0;
}
