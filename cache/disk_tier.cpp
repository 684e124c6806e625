#include "cache/disk_tier.h"

#include "cache/settings.h"
#include "torrent/error.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <sched.h>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

namespace rqfs::cache {

namespace {

// Linux moves at most this much in one call; a round figure below it.
constexpr std::size_t kCallBytes = 1u << 30;

[[noreturn]] void fail(std::string const& what, std::string const& path) {
    throw std::system_error(errno, std::generic_category(), what + " " + path);
}

// Some network filesystems answer EAGAIN where local ones wait.
bool transient(int code) {
    if (code == EAGAIN) sched_yield();
    return code == EINTR || code == EAGAIN;
}

void sync_directory_of(std::string const& path) {
    auto const directory = path.substr(0, path.find_last_of('/'));
    int const descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) fail("cannot open", directory);
    int const result = ::fsync(descriptor);
    int const code = errno;
    ::close(descriptor);
    errno = code;
    if (result != 0) fail("cannot sync", directory);
}

// The errno, or 0. A daemon that was just unmounted keeps the lock while it saves what it has.
int lock_patiently(int descriptor) {
    for (std::chrono::milliseconds waited{};; waited += kLockRetryInterval) {
        if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return 0;
        int const code = errno;
        if (code != EWOULDBLOCK || waited >= kLockWait) return code;
        std::this_thread::sleep_for(kLockRetryInterval);
    }
}

torrent::DiskSpace space_of(struct statvfs const& answer) {
    std::uint64_t const unit = answer.f_frsize;
    return {answer.f_blocks * unit, answer.f_bavail * unit, answer.f_bfree * unit};
}

}  // namespace

std::shared_ptr<StoreFile> StoreFile::open(std::string path, Mode mode) {
    constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
    int descriptor = ::open(path.c_str(), kFlags);
    if (descriptor < 0 && errno == ENOENT && mode == Mode::create) {
        descriptor = ::open(path.c_str(), kFlags | O_CREAT, 0600);
        if (descriptor >= 0) {
            std::shared_ptr<StoreFile> made(new StoreFile(std::move(path), descriptor));
            sync_directory_of(made->path_);
            return made;
        }
    }
    if (descriptor < 0) fail("cannot open", path);
    return std::shared_ptr<StoreFile>(new StoreFile(std::move(path), descriptor));
}

StoreFile::~StoreFile() { ::close(descriptor_); }

void StoreFile::write(std::uint64_t offset, std::span<std::byte const> bytes) {
    while (!bytes.empty()) {
        auto const wrote = ::pwrite(descriptor_, bytes.data(), std::min(bytes.size(), kCallBytes), static_cast<off_t>(offset));
        if (wrote < 0 && transient(errno)) continue;
        if (wrote == 0) errno = EIO;
        if (wrote <= 0) fail("cannot write", path_);
        offset += static_cast<std::uint64_t>(wrote);
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
}

std::size_t StoreFile::read(std::uint64_t offset, std::span<std::byte> bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        auto const rest = bytes.subspan(done);
        auto const got = ::pread(descriptor_, rest.data(), std::min(rest.size(), kCallBytes), static_cast<off_t>(offset + done));
        if (got < 0 && transient(errno)) continue;
        if (got < 0) fail("cannot read", path_);
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

void StoreFile::sync() {
    while (::fdatasync(descriptor_) != 0)
        if (errno != EINTR) fail("cannot sync", path_);
}

void StoreFile::start_write_back(torrent::ByteRange range) noexcept {
    // Advice: where it fails, sync() does the work.
    (void)::sync_file_range(descriptor_, static_cast<off_t>(range.begin), static_cast<off_t>(range.size()), SYNC_FILE_RANGE_WRITE);
}

std::vector<torrent::ByteRange> StoreFile::data() {
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0) fail("cannot examine", path_);
    std::vector<torrent::ByteRange> ranges;
    off_t at = 0;
    while (at < status.st_size) {
        off_t const begin = ::lseek(descriptor_, at, SEEK_DATA);
        if (begin < 0 && errno == ENXIO) break;
        off_t const end = begin < 0 ? status.st_size : ::lseek(descriptor_, begin, SEEK_HOLE);
        auto const from = static_cast<std::uint64_t>(std::max<off_t>(begin, begin < 0 ? at : begin));
        auto const to = static_cast<std::uint64_t>(end < 0 ? status.st_size : end);
        ranges.push_back({from, to});
        at = static_cast<off_t>(to);
        if (to <= from) break;
    }
    return ranges;
}

bool StoreFile::removed() const {
    struct stat status{};
    return ::fstat(descriptor_, &status) == 0 && status.st_nlink == 0;
}

torrent::DiskSpace StoreFile::space() const {
    struct statvfs answer{};
    if (::fstatvfs(descriptor_, &answer) != 0) return {};
    return space_of(answer);
}

StoreDirectory::StoreDirectory(std::string path) : path_(std::move(path)) {
    while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
    for (auto slash = path_.find('/', 1); slash != std::string::npos; slash = path_.find('/', slash + 1))
        (void)::mkdir(path_.substr(0, slash).c_str(), 0700);
    for (auto const& directory : {path_, path_ + "/pieces"})
        if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
            torrent::throw_error(torrent::Errc::io, "cannot make the store " + directory + ": " + std::strerror(errno));
    auto const file = path_ + "/lock";
    lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock_ < 0) torrent::throw_error(torrent::Errc::io, "cannot open " + file + ": " + std::strerror(errno));
    int const code = lock_patiently(lock_);
    if (code == 0) return;
    ::close(lock_);
    if (code == EWOULDBLOCK) torrent::throw_error(torrent::Errc::busy, "another rqfs uses the store " + path_);
    torrent::throw_error(torrent::Errc::io, "cannot lock " + file + ": " + std::strerror(code));
}

StoreDirectory::~StoreDirectory() { ::close(lock_); }

torrent::DiskSpace disk_space(std::string const& path) {
    struct statvfs answer{};
    if (::statvfs(path.c_str(), &answer) != 0) return {};
    return space_of(answer);
}

void remove_file(std::string const& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        torrent::throw_error(torrent::Errc::io, "cannot remove " + path + ": " + std::strerror(errno));
}

}  // namespace rqfs::cache
