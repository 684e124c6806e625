#include "tools/rqfs/last_resort.h"

#include <sys/time.h>
#include <unistd.h>

#include <csignal>

namespace rqfs::tools {

namespace {

extern "C" void end_now(int) { _exit(1); }

}  // namespace

void end_process_in(std::chrono::milliseconds time) {
    std::signal(SIGALRM, end_now);
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    itimerval timer{};
    timer.it_value.tv_sec = seconds.count();
    timer.it_value.tv_usec = std::chrono::duration_cast<std::chrono::microseconds>(time - seconds).count();
    setitimer(ITIMER_REAL, &timer, nullptr);
}

}  // namespace rqfs::tools
