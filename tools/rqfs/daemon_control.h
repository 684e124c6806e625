#pragma once

#include "tools/control/protocol.h"
#include "torrent/info_hash.h"
#include "torrent/why.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace rqfs::tools {

// What the control server asks of the daemon around the engine; Daemon implements it, tests fake it. Engine thread
// only.
class DaemonControl {
public:
    virtual ~DaemonControl() = default;

    virtual std::string mountpoint() const = 0;  // absolute; empty when nothing is mounted
    // Where the torrent is seen: absolute; empty when it is not there.
    virtual std::string directory_path(torrent::InfoHash const& info_hash) const = 0;
    virtual std::string store() const = 0;
    virtual std::uint32_t process_id() const = 0;
    virtual ConfigTrouble config_trouble() const { return {}; }
    // How long a read of the mount may wait; of no known error while nothing is mounted.
    virtual torrent::ReadLimit read_limit() const = 0;
    // Ends the daemon in order; returns at once.
    virtual void request_stop() = 0;
    // Level "trace" ... "off" of the logger torrent, cache, fs, rqfs or all. Throws Errc::malformed naming what is
    // allowed.
    virtual void set_log_level(std::string_view logger, std::string_view level) = 0;
};

}  // namespace rqfs::tools
