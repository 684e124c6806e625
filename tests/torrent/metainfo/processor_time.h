#pragma once

#include <time.h>

#include <algorithm>
#include <chrono>

namespace rqfs::torrent::tests {

// Times are promised of what is installed; builds that run tests are not optimised, or carry sanitizers.
inline constexpr int kSlowerBuild = 5;

// The processor time of this thread that a call takes, the best of some: other programs on the machine do not count.
template <class Function>
std::chrono::nanoseconds processor_time(Function const& function, int attempts = 3) {
    auto const now = [] {
        timespec time{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    };
    auto best = std::chrono::nanoseconds::max();
    for (int attempt = 0; attempt < attempts; ++attempt) {
        auto const begin = now();
        function();
        best = std::min<std::chrono::nanoseconds>(best, now() - begin);
    }
    return best;
}

}  // namespace rqfs::torrent::tests
