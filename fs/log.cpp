#include "fs/log.h"

#include <memory>

namespace rqfs::fs {

spdlog::logger& log() {
    static std::shared_ptr<spdlog::logger> const logger = [] {
        auto made = spdlog::get("fs");
        if (!made) {
            made = std::make_shared<spdlog::logger>("fs");
            spdlog::register_logger(made);
        }
        return made;
    }();
    return *logger;
}

}  // namespace rqfs::fs
