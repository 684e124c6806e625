#pragma once

#include <sys/types.h>

#include <string>

namespace rqfs::tools {

// What the default paths depend on; empty where a variable is not set or not absolute (XDG Base Directory
// Specification).
struct Environment {
    uid_t user = 0;
    std::string home;
    std::string config_home;  // XDG_CONFIG_HOME
    std::string data_home;    // XDG_DATA_HOME
    std::string runtime_dir;  // XDG_RUNTIME_DIR
};

Environment current_environment();

// Where rqfs looks when it is not told. The XDG specification for users, the Filesystem Hierarchy Standard for root.
std::string default_config_file(Environment const& environment);  // ~/.config/rqfs/rqfs.yaml, /etc/rqfs.yaml
std::string default_store(Environment const& environment);        // ~/.local/share/rqfs, /var/lib/rqfs
// $XDG_RUNTIME_DIR/rqfs.sock, /run/rqfs.sock; without a runtime directory: in the store.
std::string default_socket(Environment const& environment, std::string const& store);

}  // namespace rqfs::tools
