#pragma once

#include "torrent/clock.h"
#include "torrent/endpoint.h"
#include "torrent/net/interface_binding.h"
#include "torrent/net/local_networks.h"
#include "torrent/units.h"

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

namespace rqfs::torrent {

// Who is on a network of this machine, asked of the kernel: for a session that has no local discovery, which follows
// the networks as they come and go. Owned by Session; engine thread only.
class Neighbours {
public:
    // `listening` as for local_networks().
    Neighbours(Clock& clock, std::vector<Endpoint> listening, InterfaceBinding binding)
        : clock_(clock), listening_(std::move(listening)), binding_(std::move(binding)) {}

    bool contains(Address const& address);

    static constexpr std::chrono::seconds kFresh{10};  // an interface that is new may be noticed late

private:
    Clock& clock_;
    std::vector<Endpoint> listening_;
    InterfaceBinding binding_;
    std::vector<LocalNetwork> networks_;
    std::optional<TimePoint> asked_;
};

}  // namespace rqfs::torrent
