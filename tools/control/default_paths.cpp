#include "tools/control/default_paths.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

namespace rqfs::tools {

namespace {

std::string absolute_variable(char const* name) {
    char const* const value = std::getenv(name);
    return value != nullptr && value[0] == '/' ? value : std::string();
}

std::string home_directory() {
    if (auto home = absolute_variable("HOME"); !home.empty()) return home;
    passwd const* const entry = getpwuid(geteuid());
    return entry != nullptr && entry->pw_dir != nullptr ? entry->pw_dir : "/";
}

bool is_root(Environment const& environment) { return environment.user == 0; }

}  // namespace

Environment current_environment() {
    return {geteuid(), home_directory(), absolute_variable("XDG_CONFIG_HOME"), absolute_variable("XDG_DATA_HOME"),
            absolute_variable("XDG_RUNTIME_DIR")};
}

std::string default_config_file(Environment const& environment) {
    if (is_root(environment)) return "/etc/rqfs.yaml";
    auto const base = environment.config_home.empty() ? environment.home + "/.config" : environment.config_home;
    return base + "/rqfs/rqfs.yaml";
}

std::string default_store(Environment const& environment) {
    if (is_root(environment)) return "/var/lib/rqfs";
    auto const base = environment.data_home.empty() ? environment.home + "/.local/share" : environment.data_home;
    return base + "/rqfs";
}

std::string default_socket(Environment const& environment, std::string const& store) {
    if (is_root(environment)) return "/run/rqfs.sock";
    return (environment.runtime_dir.empty() ? store : environment.runtime_dir) + "/rqfs.sock";
}

}  // namespace rqfs::tools
