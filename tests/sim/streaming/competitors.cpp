#include "tests/sim/streaming/competitors.h"

#include "tests/sim/streaming/in_order.h"
#include "tests/sim/streaming/time_critical.h"
#include "tests/sim/streaming/whole_pieces.h"

#include <memory>

namespace rqfs::tests {

namespace {

template <class Policy>
NamedStreamer named(std::string name) {
    auto const make = [](torrent::PieceLayout const& layout, Scenario const& scenario, std::uint64_t seed) {
        return std::unique_ptr<Streamer>(std::make_unique<Policy>(layout, scenario, seed));
    };
    return {std::move(name), make};
}

}  // namespace

std::vector<NamedStreamer> competitors() {
    return {named<InOrder>("sequential"), named<RarestFirst>("rarest-first"), named<TimeCritical>("time-critical"),
            named<WholePieces>("whole pieces")};
}

}  // namespace rqfs::tests
