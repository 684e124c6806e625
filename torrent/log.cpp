#include "torrent/log.h"

namespace rqfs::torrent {

std::shared_ptr<spdlog::logger> shared_log() {
    static std::shared_ptr<spdlog::logger> const logger = [] {
        auto made = spdlog::get("torrent");
        if (!made) {
            made = std::make_shared<spdlog::logger>("torrent");
            spdlog::register_logger(made);
        }
        return made;
    }();
    return logger;
}

spdlog::logger& log() {
    static spdlog::logger& logger = *shared_log();
    return logger;
}

}  // namespace rqfs::torrent
