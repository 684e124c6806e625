#include "fs/reader_thread.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace rqfs::fs {

namespace {

bool is_gone(pid_t thread) {
    if (thread <= 0) return false;
    std::ifstream stat("/proc/" + std::to_string(thread) + "/stat");
    std::string line;
    if (!std::getline(stat, line)) return true;
    // "TID (name) STATE ...": the name may hold anything, the state is Z or X for the dead.
    auto const end = line.rfind(')');
    if (end == std::string::npos || end + 2 >= line.size()) return true;
    char const state = line[end + 2];
    return state == 'Z' || state == 'X' || state == 'x';
}

}  // namespace

std::vector<pid_t> gone_threads(std::vector<pid_t> threads) {
    std::erase_if(threads, [](pid_t thread) { return !is_gone(thread); });
    return threads;
}

}  // namespace rqfs::fs
