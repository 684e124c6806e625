#include "tools/rqfs/command_line.h"

#include "tools/control/log_level.h"
#include "torrent/endpoint.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#ifndef RQFS_VERSION
#define RQFS_VERSION "unknown"
#endif

namespace rqfs::tools {

namespace {

constexpr int kUsage = 2;

struct Raw {
    CommandLine line;
    std::vector<std::string> positionals;
    std::vector<std::string> mount_options;
};

std::string check_level(std::string const& text) {
    return is_level(text) ? std::string() : std::string(kLevels) + " was expected, not " + text;
}

std::string check_endpoint(std::string const& text) {
    return torrent::Endpoint::parse(text) ? std::string()
                                          : "ADDRESS:PORT like 0.0.0.0:6881 or [::]:6881 was expected, not " + text;
}

// CLI11's words for types and counts would stand between the user and the one argument.
class Help final : public CLI::Formatter {
public:
    Help() { label("Positionals", "Arguments"); }

    std::string make_option_opts(CLI::Option const* option) const override {
        bool const takes_value = option->nonpositional() && option->get_type_size() != 0;
        return takes_value ? " " + option->get_type_name() : std::string();
    }

    std::string make_option_usage(CLI::Option const* argument) const override { return argument->get_option_text(); }
};

std::unique_ptr<CLI::App> make_app(Raw& to) {
    auto app =
        std::make_unique<CLI::App>("Mounts torrents as directories; reading a file fetches what it needs.", "rqfs");
    app->formatter(std::make_shared<Help>());
    app->set_version_flag("--version", "rqfs " RQFS_VERSION);
    app->add_flag("-f,--foreground", to.line.foreground, "Stay in the foreground, log to stderr");
    app->add_option("-c,--config", to.line.config, "Configuration file instead of the default")->type_name("FILE");
    app->add_option("-o", to.mount_options, "Mount options: allow_other, uid=N, gid=N, umask=OCTAL, ro")
        ->type_name("OPTION,...")
        ->allow_extra_args(false);
    app->add_option("--store", to.line.store, "Directory of the pieces and the database")->type_name("DIR");
    app->add_option("--socket", to.line.socket, "Control socket")->type_name("PATH");
    app->add_option("--listen", to.line.listen, "Where peers reach us; may be repeated")
        ->type_name("ADDR:PORT")
        ->allow_extra_args(false)
        ->check(check_endpoint);
    app->add_option("--log-level", to.line.log_level, "trace, debug, info, warn, error or off")
        ->type_name("LEVEL")
        ->check(check_level);
    app->add_option("MOUNTPOINT", to.positionals,
                    "An empty directory; of two names the first is ignored, as mount(8) passes them")
        ->required()
        ->expected(1, 2)
        ->option_text("[SOURCE] MOUNTPOINT");
    return app;
}

void finish(Raw& raw) {
    raw.line.mountpoint = raw.positionals.back();
    if (raw.line.mountpoint.empty()) throw CLI::ValidationError("MOUNTPOINT", "a directory was expected");
    for (auto const& text : raw.mount_options) {
        auto const parsed = parse_mount_options(text, raw.line.mount_options);
        if (!parsed) throw CLI::ValidationError(parsed.error().what, CLI::ExitCodes::ValidationError);
        raw.line.mount_options = *parsed;
    }
}

std::string one_line(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

}  // namespace

ParsedCommandLine parse_command_line(std::vector<std::string> arguments) {
    Raw raw;
    auto const app = make_app(raw);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    try {
        app->parse(std::move(arguments));
        finish(raw);
        return {std::move(raw.line), {}, 0};
    } catch (CLI::CallForHelp const&) {
        return {std::nullopt, app->help(), 0};
    } catch (CLI::CallForVersion const& version) {
        return {std::nullopt, std::string(version.what()) + "\n", 0};
    } catch (CLI::ParseError const& failure) {
        return {std::nullopt, "rqfs: " + one_line(failure.what()) + "; rqfs --help tells more\n", kUsage};
    }
}

std::vector<std::string> known_options() {
    Raw unused;
    auto const app = make_app(unused);
    std::vector<std::string> known;
    for (auto const* const option : app->get_options()) {
        for (auto const& name : option->get_lnames()) known.push_back("--" + name);
        for (auto const& name : option->get_snames()) known.push_back("-" + name);
    }
    return known;
}

Config with_command_line(Config config, CommandLine const& line, Environment const& environment) {
    if (line.store) config.store = *line.store;
    if (line.socket) config.socket = *line.socket;
    if (!line.listen.empty()) config.torrent.listen = line.listen;
    if (line.log_level) {
        config.log_level = *line.log_level;
        config.log_levels.clear();
    }
    if (line.mount_options.allow_other) config.fs.allow_other = true;
    if (line.mount_options.uid) config.fs.uid = line.mount_options.uid;
    if (line.mount_options.gid) config.fs.gid = line.mount_options.gid;
    if (line.mount_options.umask) config.fs.umask = *line.mount_options.umask;
    if (config.store.empty()) config.store = default_store(environment);
    if (config.socket.empty()) config.socket = default_socket(environment, config.store);
    return config;
}

void make_paths_absolute(CommandLine& line) {
    auto const absolute = [](std::string& path) { path = std::filesystem::absolute(path).lexically_normal().string(); };
    absolute(line.mountpoint);
    for (auto* const path : {&line.config, &line.store, &line.socket})
        if (*path) absolute(**path);
}

}  // namespace rqfs::tools
