#pragma once

#include "torrent/error.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {

// The `so` parameter of magnets (BEP 53): "0,2,4,6-8", file numbers and inclusive ranges of them. At most
// limit::kSelectRanges ranges and numbers below limit::kFiles.
class SelectOnly {
public:
    std::optional<Error> add(std::string_view text);  // ranges may overlap and come in any order
    std::vector<FileIndex> files() const;             // ascending, each once

    static std::string text(std::vector<FileIndex> const& files);  // of ascending numbers

private:
    struct Range {
        std::uint32_t first;
        std::uint32_t last;  // inclusive
    };
    std::optional<Error> add_range(std::string_view text);

    std::vector<Range> ranges_;
};

}  // namespace rqfs::torrent
