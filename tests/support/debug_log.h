#pragma once

#include "torrent/log.h"

#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <sstream>
#include <string>

namespace rqfs::tests {

// Everything that the engine logs at debug level while it lives.
class DebugLog {
public:
    DebugLog() {
        torrent::log().sinks().push_back(sink_);
        torrent::log().set_level(spdlog::level::debug);
    }
    ~DebugLog() {
        torrent::log().set_level(before_);
        torrent::log().sinks().pop_back();
    }
    DebugLog(DebugLog const&) = delete;
    DebugLog& operator=(DebugLog const&) = delete;
    std::string text() const { return text_.str(); }

private:
    std::ostringstream text_;
    std::shared_ptr<spdlog::sinks::sink> sink_ = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_, true);
    spdlog::level::level_enum before_ = torrent::log().level();
};

}  // namespace rqfs::tests
