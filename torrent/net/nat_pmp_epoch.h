#pragma once

#include "torrent/units.h"

#include <cstdint>
#include <optional>

namespace rqfs::torrent {

// A NAT-PMP router's "seconds since start of epoch", which are in every answer: they begin anew when it loses its table
// of mappings, because it was started again or for whatever other reason (RFC 6886, 3.6). Of one router. Pure.
class NatPmpEpoch {
public:
    // Those of every answer, in the order in which they come.
    void answered(std::uint32_t seconds, TimePoint now);
    // The table was lost, as the answers since the last call tell.
    bool take_lost();

private:
    struct Answer {
        std::uint32_t seconds = 0;
        TimePoint at{};
    };

    std::optional<Answer> last_;
    bool lost_ = false;
};

}  // namespace rqfs::torrent
