#pragma once

#include "torrent/net/ip_filter.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace rqfs::torrent {

// Takes the text of one list apart, in pieces cut anywhere, and adds its ranges to a filter. Lines of all kinds
// (IpFilterLine) may be mixed, end in CRLF and hold names in any character set; the first may begin with a byte order
// mark. A bad line is counted and costs nothing else. Pure.
class IpFilterText {
public:
    // `name` is the file's in sentences; `into` outlives it.
    IpFilterText(std::string name, IpFilter::Builder& into) : name_(std::move(name)), into_(into) {}

    // False when there are more than limit::kIpFilterRanges: nothing more is taken then.
    bool feed(std::string_view piece);
    bool end();  // the last line may lack its end

    std::size_t good_lines() const { return good_lines_; }  // which block or allow somebody
    std::size_t bad_lines() const { return bad_lines_; }
    // "FILE:LINE: ...": what is wrong with the first bad line; empty while there is none.
    std::string const& first_bad() const { return first_bad_; }

private:
    bool take_line();

    std::string name_;
    IpFilter::Builder& into_;
    std::string line_;  // as far as it has come, of which no more than limit::kIpFilterLineBytes are kept
    bool line_too_long_ = false;
    std::size_t lines_ = 0;
    std::size_t good_lines_ = 0;
    std::size_t bad_lines_ = 0;
    std::string first_bad_;
};

}  // namespace rqfs::torrent
