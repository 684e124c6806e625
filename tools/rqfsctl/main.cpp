#include "tools/control/default_paths.h"
#include "tools/control/text.h"
#include "tools/rqfsctl/commands.h"
#include "tools/rqfsctl/failure.h"

#include <unistd.h>

#include <clocale>
#include <csignal>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

namespace {

int run(rqfs::tools::Arguments const& arguments) {
    using namespace rqfs::tools;
    auto const environment = current_environment();
    auto const socket =
        arguments.socket.empty() ? default_socket(environment, default_store(environment)) : arguments.socket;
    Client client(socket);
    // What is named may be in the mount, where the kernel would wait for a daemon that hangs, and nothing ends that
    // wait.
    bool const may_touch_mount = !arguments.torrents.empty() || !arguments.path.empty();
    if (may_touch_mount) client.get("/v1/status");
    Context context{arguments, client, std::cout, std::cerr, isatty(STDOUT_FILENO) == 1, isatty(STDERR_FILENO) == 1};
    return run_command(context);
}

}  // namespace

int main(int argc, char** argv) {
    using namespace rqfs::tools;
    std::setlocale(LC_CTYPE, "C.UTF-8");  // for the width of characters
    std::signal(SIGPIPE, SIG_IGN);
    auto const parsed = parse_arguments(std::vector<std::string>(argv + 1, argv + argc));
    if (!parsed.arguments) {
        (parsed.exit_status == kExitDone ? std::cout : std::cerr) << parsed.text;
        return parsed.exit_status;
    }
    try {
        int const exit_status = run(*parsed.arguments);
        std::cout.flush();
        if (std::cout) return exit_status;
        std::cerr << "rqfsctl: the output could not be written\n";
    } catch (Failure const& failure) {
        std::cerr << "rqfsctl: " << printable(failure.what()) << '\n';
        return failure.exit_status();
    } catch (std::exception const& failure) {
        std::cerr << "rqfsctl: " << printable(failure.what()) << '\n';
    }
    return kExitFailed;
}
