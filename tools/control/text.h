#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rqfs::tools {

// Text that strangers chose (names, client programs, tracker messages), on its way to people and programs.

// The same with every byte that is no UTF-8 replaced by U+FFFD: what JSON can carry.
std::string to_utf8(std::string_view text);

// One line fit for a terminal or a log: control characters and characters that reorder text become \xNN or \u{NNNN};
// what is no UTF-8 becomes U+FFFD.
std::string printable(std::string_view text);

// Columns the text takes on a terminal; `text` is printable UTF-8.
std::size_t display_width(std::string_view text);

}  // namespace rqfs::tools
