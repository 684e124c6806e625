#include "tools/rqfs/log.h"

#include <memory>

namespace rqfs::tools {

spdlog::logger& log() {
    static std::shared_ptr<spdlog::logger> const logger = [] {
        auto made = spdlog::get("rqfs");
        if (!made) {
            made = std::make_shared<spdlog::logger>("rqfs");
            spdlog::register_logger(made);
        }
        return made;
    }();
    return *logger;
}

}  // namespace rqfs::tools
