#include "fs/reader_program.h"

#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

namespace rqfs::fs {

namespace {

// A thread's id is not its program's: /proc/TID/status names the one of the whole process.
std::uint32_t process_of(pid_t thread) {
    std::ifstream status("/proc/" + std::to_string(thread) + "/status");
    constexpr std::string_view kLabel = "Tgid:";
    std::uint32_t process = 0;
    for (std::string line; std::getline(status, line);) {
        if (!line.starts_with(kLabel)) continue;
        auto const digits = line.find_first_of("0123456789");
        if (digits != std::string::npos) std::from_chars(line.data() + digits, line.data() + line.size(), process);
        break;
    }
    return process;
}

}  // namespace

torrent::ReaderProgram read_reader_program(pid_t thread) {
    torrent::ReaderProgram program;
    if (thread <= 0) return program;
    program.process_id = process_of(thread);
    if (program.process_id == 0) return program;
    std::ifstream comm("/proc/" + std::to_string(program.process_id) + "/comm");
    std::getline(comm, program.name);
    return program;
}

}  // namespace rqfs::fs
