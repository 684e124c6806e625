#include "fs/reader_thread.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

namespace rqfs::fs {
namespace {

TEST(ReaderThread, IsGoneWhenItHasEndedAlsoBeforeItIsWaitedFor) {
    pid_t const child = ::fork();
    if (child == 0) ::_exit(0);
    siginfo_t info;
    ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);

    EXPECT_EQ(gone_threads({::gettid(), child, 0, 0x7FFF'FFF0}), (std::vector<pid_t>{child, 0x7FFF'FFF0}));

    ::waitpid(child, nullptr, 0);
    EXPECT_EQ(gone_threads({child}), std::vector<pid_t>{child});
}

}  // namespace
}  // namespace rqfs::fs
