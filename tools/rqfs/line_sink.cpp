#include "tools/rqfs/line_sink.h"

#include "tools/control/text.h"

#include <boost/system/system_error.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syslog.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <mutex>
#include <utility>

namespace rqfs::tools {

namespace {

// Up to this much a pipe takes all or nothing (POSIX), so lines are never torn.
constexpr std::size_t kLineBytes = PIPE_BUF - 1;

// A descriptor that is known not to block takes the line, or fails.
bool write_all(int descriptor, std::string_view line) {
    auto const text = std::string(line) + "\n";
    auto const written = write(descriptor, text.data(), text.size());
    return written == static_cast<ssize_t>(text.size());
}

int open_append(std::string const& path) {
    return open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, S_IRUSR | S_IWUSR | S_IRGRP);
}

}  // namespace

void LineSink::sink_it_(spdlog::details::log_msg const& message) {
    spdlog::memory_buf_t formatted;
    formatter_->format(message, formatted);
    std::string_view text(formatted.data(), formatted.size());
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    auto line = printable(text);
    if (line.size() > kLineBytes) line = to_utf8(std::string_view(line).substr(0, kLineBytes - 8)) + " ...";
    if (dropped_ > 0) {
        auto const notice = std::to_string(dropped_) + " log lines were dropped: nobody took them";
        if (write_line(spdlog::level::warn, notice)) dropped_ = 0;
    }
    if (!write_line(message.level, line)) ++dropped_;
}

DescriptorSink::DescriptorSink(int descriptor) : descriptor_(descriptor) {
    struct stat found {};
    bool const waits = fstat(descriptor, &found) == 0 && (S_ISFIFO(found.st_mode) || S_ISCHR(found.st_mode));
    auto const again = "/proc/self/fd/" + std::to_string(descriptor);
    if (waits) own_ = open(again.c_str(), O_WRONLY | O_NONBLOCK | O_APPEND | O_CLOEXEC | O_NOCTTY);
}

DescriptorSink::~DescriptorSink() {
    if (own_ >= 0) close(own_);
}

bool DescriptorSink::write_line(spdlog::level::level_enum, std::string_view line) {
    if (own_ >= 0) return write_all(own_, line);
    auto const text = std::string(line) + "\n";
    auto const sent = send(descriptor_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0 || errno != ENOTSOCK) return sent == static_cast<ssize_t>(text.size());
    pollfd ready{descriptor_, POLLOUT, 0};
    return poll(&ready, 1, 0) == 1 && write_all(descriptor_, line);
}

FileSink::FileSink(std::string path) : path_(std::move(path)), descriptor_(open_append(path_)) {
    if (descriptor_ < 0)
        throw boost::system::system_error(errno, boost::system::system_category(),
                                          "the log file " + path_ + " cannot be written");
}

FileSink::~FileSink() { close(descriptor_); }

void FileSink::reopen() {
    std::lock_guard const lock(mutex_);
    int const again = open_append(path_);
    if (again < 0) return;
    close(descriptor_);
    descriptor_ = again;
}

bool FileSink::write_line(spdlog::level::level_enum, std::string_view line) { return write_all(descriptor_, line); }

SystemLogSink::SystemLogSink() { connect(); }

SystemLogSink::~SystemLogSink() {
    if (socket_ >= 0) close(socket_);
}

void SystemLogSink::connect() {
    if (socket_ >= 0) close(socket_);
    socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, "/dev/log");
    void* const generic = &address;
    if (socket_ < 0 || ::connect(socket_, static_cast<sockaddr*>(generic), sizeof(address)) == 0) return;
    close(socket_);
    socket_ = -1;
}

bool SystemLogSink::write_line(spdlog::level::level_enum level, std::string_view line) {
    int const priority = level >= spdlog::level::err    ? LOG_ERR
                         : level == spdlog::level::warn ? LOG_WARNING
                         : level == spdlog::level::info ? LOG_INFO
                                                        : LOG_DEBUG;
    auto const text =
        "<" + std::to_string(LOG_DAEMON | priority) + ">rqfs[" + std::to_string(getpid()) + "]: " + std::string(line);
    if (socket_ < 0) connect();
    if (socket_ < 0) return false;
    auto sent = send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        connect();
        if (socket_ >= 0) sent = send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    }
    return sent >= 0;
}

}  // namespace rqfs::tools
