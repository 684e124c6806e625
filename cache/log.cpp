#include "cache/log.h"

#include <memory>

namespace rqfs::cache {

spdlog::logger& log() {
    static std::shared_ptr<spdlog::logger> const logger = [] {
        auto made = spdlog::get("cache");
        if (!made) {
            made = std::make_shared<spdlog::logger>("cache");
            spdlog::register_logger(made);
        }
        return made;
    }();
    return *logger;
}

}  // namespace rqfs::cache
