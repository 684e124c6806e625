#include "tools/control/default_paths.h"
#include "tools/rqfs/command_line.h"
#include "tools/rqfs/daemon.h"
#include "tools/rqfs/daemonize.h"
#include "tools/rqfs/logging.h"
#include "torrent/error.h"

#include <boost/system/system_error.hpp>

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace rqfs::tools;

constexpr int kFailed = 1;

// Peers, files and readers all need descriptors; the soft limit is 1,024 for the sake of programs that use select().
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

DaemonOptions make_options(CommandLine command_line) {
    auto const environment = current_environment();
    make_paths_absolute(command_line);
    DaemonOptions options;
    options.config_may_be_missing = !command_line.config;
    options.config_file = command_line.config.value_or(default_config_file(environment));
    auto const file = load_config(options.config_file, options.config_may_be_missing);
    if (!file) rqfs::torrent::throw_error(file.error());
    options.config = with_command_line(*file, command_line, environment);
    options.command_line = std::move(command_line);
    return options;
}

int run(DaemonOptions options, Readiness& readiness) {
    try {
        set_up_logging(options.config, options.command_line.foreground);
        return run_daemon(std::move(options), readiness);
    } catch (boost::system::system_error const& failure) {
        readiness.failed(kFailed, rqfs::torrent::sentence(failure));
    } catch (std::exception const& failure) {
        readiness.failed(kFailed, failure.what());
    }
    return kFailed;
}

int start(CommandLine command_line) {
    auto options = make_options(std::move(command_line));
    std::signal(SIGPIPE, SIG_IGN);
    umask(S_IRWXG | S_IRWXO);
    raise_descriptor_limit();
    if (options.command_line.foreground) {
        Readiness readiness;
        return run(std::move(options), readiness);
    }
    auto background = go_to_background();
    if (background.exit_status) return *background.exit_status;
    return run(std::move(options), background.readiness);
}

}  // namespace

int main(int argc, char** argv) {
    auto parsed = parse_command_line(std::vector<std::string>(argv + 1, argv + argc));
    if (!parsed.command_line) {
        (parsed.exit_status == 0 ? std::cout : std::cerr) << parsed.text;
        return parsed.exit_status;
    }
    try {
        return start(std::move(*parsed.command_line));
    } catch (boost::system::system_error const& failure) {
        std::cerr << "rqfs: " << rqfs::torrent::sentence(failure) << '\n';
    } catch (std::exception const& failure) {
        std::cerr << "rqfs: " << failure.what() << '\n';
    }
    return kFailed;
}
