#include "tools/rqfs/logging.h"

#include "tools/control/log_level.h"
#include "tools/control/text.h"
#include "tools/rqfs/line_sink.h"
#include "torrent/error.h"

#include <spdlog/spdlog.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

namespace rqfs::tools {

namespace {

constexpr std::array<std::string_view, 4> kLoggers{"torrent", "cache", "fs", "rqfs"};

// The sink of all loggers when it is a file.
std::weak_ptr<FileSink>& file_sink() {
    static std::weak_ptr<FileSink> sink;
    return sink;
}

std::shared_ptr<LineSink> make_sink(Config const& config, bool foreground) {
    std::shared_ptr<LineSink> sink;
    if (!config.log_file.empty()) {
        auto file = std::make_shared<FileSink>(config.log_file);
        file_sink() = file;
        sink = std::move(file);
    } else if (foreground) {
        sink = std::make_shared<DescriptorSink>(STDERR_FILENO);
    } else {
        sink = std::make_shared<SystemLogSink>();
        sink->set_pattern("%l %n: %v");  // the system's log knows the time
        return sink;
    }
    sink->set_pattern("%Y-%m-%d %H:%M:%S.%e %-5l %-7n %v");
    return sink;
}

std::shared_ptr<spdlog::logger> logger_named(std::string_view name) {
    auto logger = spdlog::get(std::string(name));
    if (logger) return logger;
    logger = std::make_shared<spdlog::logger>(std::string(name));
    spdlog::register_logger(logger);
    return logger;
}

}  // namespace

void set_up_logging(Config const& config, bool foreground) {
    auto const sink = make_sink(config, foreground);
    for (auto const name : kLoggers) logger_named(name)->sinks() = {sink};
    set_log_levels(config);
}

void reopen_log_file() {
    if (auto const sink = file_sink().lock()) sink->reopen();
}

void set_log_levels(Config const& config) {
    set_log_level("all", config.log_level);
    for (auto const& [logger, level] : config.log_levels) set_log_level(logger, level);
}

void set_log_level(std::string_view logger, std::string_view level) {
    bool const all = logger == "all";
    if (!all && std::find(kLoggers.begin(), kLoggers.end(), logger) == kLoggers.end())
        torrent::throw_error(torrent::Errc::malformed,
                             "the loggers are torrent, cache, fs, rqfs and all, not \"" + printable(logger) + "\"");
    if (!is_level(level))
        torrent::throw_error(torrent::Errc::malformed,
                             "a level is " + std::string(kLevels) + ", not \"" + printable(level) + "\"");
    auto const parsed = spdlog::level::from_str(std::string(level));
    for (auto const name : kLoggers)
        if (all || name == logger) logger_named(name)->set_level(parsed);
}

}  // namespace rqfs::tools
