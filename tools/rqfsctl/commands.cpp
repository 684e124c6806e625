#include "tools/rqfsctl/commands.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace rqfs::tools {

int run_command(Context& context) {
    constexpr std::array<std::string_view, 6> showing{"list", "status", "files", "peers", "path", "magnet"};
    auto const& command = context.arguments.command;
    if (command == "add") return run_add(context);
    if (command == "why") return run_why(context);
    if (command == "dht") return run_dht(context);
    if (command == "trackers") return run_trackers(context);
    if (command == "announce") return run_announce(context);
    if (command == "stats") return run_stats(context);
    bool const shows = std::find(showing.begin(), showing.end(), command) != showing.end();
    return shows ? run_show(context) : run_change(context);
}

}  // namespace rqfs::tools
