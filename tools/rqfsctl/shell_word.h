#pragma once

#include <string>
#include <string_view>

namespace rqfs::tools {

// `text` as one argument that any shell takes as it is; quoted only where it has to be.
std::string shell_word(std::string_view text);

}  // namespace rqfs::tools
