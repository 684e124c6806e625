#include "fs/fuse_session.h"

#include "fs/log.h"
#include "fs/mount_table.h"
#include "fs/settings.h"
#include "torrent/error.h"
#include "torrent/timeout.h"

#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <sys/socket.h>
#include <poll.h>
#include <unistd.h>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cassert>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

namespace rqfs::fs {

namespace asio = boost::asio;

using torrent::Errc;
using torrent::Workers;

namespace {

constexpr int kRequestsATurn = 64;  // then others on the engine may go on
constexpr auto kWatchInterval = std::chrono::seconds(1);
constexpr auto kQuietTime = std::chrono::milliseconds(20);  // without further requests, when we stop
constexpr auto kInitializeTime = std::chrono::seconds(10);

// What libfuse says while it mounts: the only way it gives reasons.
thread_local std::string last_words;

void keep_words(fuse_log_level, char const* format, va_list arguments) {
    char text[512];
    std::vsnprintf(text, sizeof text, format, arguments);
    last_words = text;
    while (last_words.ends_with('\n') || last_words.ends_with('.')) last_words.pop_back();
    log().debug("libfuse: {}", last_words);
}

std::string mount_options(Settings const& settings) {
    std::string options =
        "ro,nosuid,nodev,noexec,fsname=rqfs,subtype=rqfs,max_read=" + std::to_string(limit::kMaxReadBytes);
    if (settings.allow_other) options += ",allow_other,default_permissions";
    return options;
}

struct Mounted {
    int id = 0;
    std::string failure;  // empty: it worked
};

Mounted mount_session(fuse_session* session, std::string const& path) {
    last_words.clear();
    if (fuse_session_mount(session, path.c_str()) != 0)
        return {0, last_words.empty() ? "fusermount3 refused, and said above why" : last_words};
    auto const entry = mounted_at(read_mount_table(), path);
    if (entry) return {entry->id, ""};
    fuse_session_unmount(session);
    return {0, "it is not in the mount table"};
}

bool still_mounted(int id) { return has_mount(read_mount_table(), id); }

// Unmounts only what is ours: somebody else may have mounted at the path since.
void unmount_session(fuse_session* session, int id) {
    pollfd device{fuse_session_fd(session), 0, 0};
    // Of a dead connection libfuse unmounts nothing either; it only gives its memory back.
    bool const dead = ::poll(&device, 1, 0) == 1 && (device.revents & POLLERR) != 0;
    if (dead || still_mounted(id)) fuse_session_unmount(session);
}

// May wait for a request that is under way, so never on the engine thread.
void send_notices(fuse_session* session, Filesystem::Change const& change) {
    for (auto const& name : change.gone_names)
        fuse_lowlevel_notify_inval_entry(session, kRootInode, name.c_str(), name.size());
    fuse_lowlevel_notify_inval_inode(session, kRootInode, -1, 0);  // its attributes only
    for (auto const inode : change.gone_files) fuse_lowlevel_notify_inval_inode(session, inode, 0, 0);
}

ssize_t write_socket(int descriptor, iovec* parts, int count, void*) {
    msghdr message = {};
    message.msg_iov = parts;
    message.msg_iovlen = static_cast<std::size_t>(count);
    return ::sendmsg(descriptor, &message, MSG_NOSIGNAL);
}

ssize_t read_socket(int descriptor, void* bytes, std::size_t size, void*) { return ::read(descriptor, bytes, size); }

void set_non_blocking(int descriptor) {
    int const flags = ::fcntl(descriptor, F_GETFL);
    if (flags < 0 || ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0)
        torrent::throw_error(Errc::io, "/dev/fuse does not work");
}

}  // namespace

void FuseSession::Deleter::operator()(fuse_session* session) const { fuse_session_destroy(session); }

FuseSession::FuseSession(asio::any_io_executor executor, Filesystem& filesystem, torrent::Clock& clock,
                         Workers& workers)
    : filesystem_(filesystem),
      clock_(clock),
      workers_(workers),
      operations_(executor, filesystem, workers),
      descriptor_(executor),
      notices_(executor, "notices to the kernel"),
      tasks_(executor, "fuse session"),
      ended_(executor) {
    filesystem_.on_change = [this](Filesystem::Change change) { announce(std::move(change)); };
}

FuseSession::~FuseSession() {
    assert((stopped_ || !session_) && "FuseSession destroyed without stop()");
    filesystem_.on_change = nullptr;
    std::free(buffer_);
}

void FuseSession::create() {
    fuse_set_log_func(&keep_words);
    std::string program = "rqfs", flag = "-o", options = mount_options(filesystem_.settings());
    std::vector<char*> arguments{program.data(), flag.data(), options.data(), nullptr};
    fuse_args args = {static_cast<int>(arguments.size()) - 1, arguments.data(), 0};
    session_.reset(fuse_session_new(&args, &FuseOperations::table(), sizeof(fuse_lowlevel_ops), &operations_));
    fuse_opt_free_args(&args);
    if (!session_) torrent::throw_error(Errc::io, "libfuse does not work: " + last_words);
}

asio::awaitable<void> FuseSession::mount(std::string path) {
    create();
    path_ = path;
    auto const mounted = co_await workers_.run(Workers::Lane::disk, &mount_session, session_.get(), path);
    if (!mounted.failure.empty()) {
        session_.reset();
        torrent::throw_error(Errc::io, "cannot mount at " + path + ": " + mounted.failure);
    }
    mount_id_ = mounted.id;
    begin(fuse_session_fd(session_.get()));
    tasks_.spawn(watch());
    auto waiting = wait_until_initialized();
    co_await torrent::with_timeout(clock_, std::move(waiting), kInitializeTime,
                                   std::string("the kernel does not speak to the mount"));
    log().info("mounted path={}", path_);
}

void FuseSession::attach(int descriptor) {
    create();
    static fuse_custom_io const io = {&write_socket, &read_socket, nullptr, nullptr};
    if (fuse_session_custom_io(session_.get(), &io, descriptor) != 0)
        torrent::throw_error(Errc::io, "the socket does not work");
    begin(descriptor);
    tasks_.spawn(watch());
}

void FuseSession::begin(int descriptor) {
    set_non_blocking(descriptor);
    descriptor_.assign(descriptor);
    tasks_.spawn(serve());
}

asio::awaitable<void> FuseSession::wait_until_initialized() {
    while (!operations_.initialized()) co_await operations_.on_initialized().wait();
}

asio::awaitable<void> FuseSession::serve() {
    while (take_requests())
        co_await descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    end();
}

// False when the kernel has ended the mount.
bool FuseSession::take_requests() {
    for (int i = 0; i < kRequestsATurn; ++i) {
        fuse_buf buffer = {};
        buffer.mem = buffer_;  // null the first time: libfuse makes it as large as it needs
        int const received = fuse_session_receive_buf(session_.get(), &buffer);
        buffer_ = buffer.mem;
        if (received == -EAGAIN) return true;
        if (received == -EINTR) continue;
        if (received <= 0) return false;
        fuse_session_process_buf(session_.get(), &buffer);
        if (fuse_session_exited(session_.get()) != 0) return false;
    }
    return true;
}

asio::awaitable<void> FuseSession::watch() {
    while (!gone_) {
        co_await clock_.sleep(kWatchInterval);
        co_await operations_.end_reads_of_the_dead();
        if (mount_id_ == 0) continue;
        // After a lazy unmount with open files the kernel says nothing.
        bool const there = co_await workers_.run(Workers::Lane::hash, &still_mounted, mount_id_);
        if (!there) end();
    }
}

void FuseSession::end() {
    if (gone_) return;
    gone_ = true;
    operations_.refuse();
    ended_.notify();
}

asio::awaitable<void> FuseSession::gone() {
    while (!gone_) co_await ended_.wait();
}

void FuseSession::announce(Filesystem::Change change) {
    if (session_ && operations_.initialized() && !gone_) notices_.spawn(notify(std::move(change)));
}

asio::awaitable<void> FuseSession::notify(Filesystem::Change change) {
    co_await workers_.run(Workers::Lane::disk, &send_notices, session_.get(), std::move(change));
}

// A reader of the page cache whose read-ahead failed asks once more for its page alone. It should be told EIO then, not
// that the connection was aborted. Others do not ask again, so all that ended are not waited for for ever.
asio::awaitable<void> FuseSession::answer_second_tries(std::size_t ended) {
    constexpr int kMostRounds = 20;
    for (int i = 0; i < kMostRounds; ++i) {
        auto const before = operations_.refused();
        co_await clock_.sleep(kQuietTime);
        if (operations_.refused() == before && before >= ended) break;
    }
}

asio::awaitable<void> FuseSession::stop() {
    if (stopped_) co_return;
    stopped_ = true;
    // Not to be cancelled half-way: what we own would be destroyed under the running coroutines.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    auto const ended = operations_.pending();
    co_await operations_.stop();
    if (mount_id_ != 0) co_await answer_second_tries(ended);
    co_await notices_.stop();  // while requests are still taken: a notice may wait for one
    end();
    co_await tasks_.stop();
    if (!session_) co_return;
    if (descriptor_.is_open()) descriptor_.release();
    if (mount_id_ != 0) {
        co_await asio::this_coro::reset_cancellation_state(
            asio::disable_cancellation());  // a TaskGroup enables it again
        co_await workers_.run(Workers::Lane::disk, &unmount_session, session_.get(), mount_id_);
        log().info("unmounted path={}", path_);
    }
    session_.reset();
}

}  // namespace rqfs::fs
