#pragma once

#include <spdlog/details/console_globals.h>
#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace rqfs::tools {

// Where log lines go. Any thread: the lock is spdlog's own. A line that cannot be written at once is dropped and
// counted, so that nobody who logs ever waits; control characters are escaped, so that a stranger's name cannot pretend
// to be a line.
class LineSink : public spdlog::sinks::base_sink<spdlog::details::console_mutex::mutex_t> {
protected:
    // Takes one line, without its end; false when it cannot be taken now.
    virtual bool write_line(spdlog::level::level_enum level, std::string_view line) = 0;

private:
    void sink_it_(spdlog::details::log_msg const& message) override;
    void flush_() override {}

    std::uint64_t dropped_ = 0;
};

// A file descriptor that somebody else owns: standard error, whatever is behind it.
class DescriptorSink final : public LineSink {
public:
    explicit DescriptorSink(int descriptor);
    ~DescriptorSink() override;

private:
    bool write_line(spdlog::level::level_enum level, std::string_view line) override;

    int descriptor_;
    int own_ = -1;  // the same file opened again without blocking, which must not be done to a descriptor others share
};

// A file that lines are added to.
class FileSink final : public LineSink {
public:
    // Throws system_error naming the file.
    explicit FileSink(std::string path);
    ~FileSink() override;

    // Opens the file again under its name: after a rotation. Keeps the old one when that fails.
    void reopen();

private:
    bool write_line(spdlog::level::level_enum level, std::string_view line) override;

    std::string path_;
    int descriptor_;
};

// The system's log at /dev/log (RFC 3164, as syslog(3) writes it), connected again when it was away.
class SystemLogSink final : public LineSink {
public:
    SystemLogSink();
    ~SystemLogSink() override;

private:
    bool write_line(spdlog::level::level_enum level, std::string_view line) override;
    void connect();

    int socket_ = -1;
};

}  // namespace rqfs::tools
