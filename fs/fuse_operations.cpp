#include "fs/fuse_operations.h"

#include "fs/reader_thread.h"
#include "fs/settings.h"
#include "fs/to_errno.h"
#include "fs/xattrs.h"

#include <fuse3/fuse_lowlevel.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <string_view>
#include <utility>
#include <vector>

namespace rqfs::fs {

namespace asio = boost::asio;

namespace {

// A directory's entries as the kernel wants them.
class Listing {
public:
    Listing(fuse_req* request, std::size_t bytes)
        : request_(request), buffer_(std::min<std::size_t>(bytes, limit::kMaxReadBytes)) {}

    bool add(std::string const& name, struct stat const& stat, std::uint64_t next) {
        auto const [at, room] = rest();
        return took(room, fuse_add_direntry(request_, at, room, name.c_str(), &stat, static_cast<off_t>(next)));
    }

    bool add(std::string const& name, fuse_entry_param const& entry, std::uint64_t next) {
        auto const [at, room] = rest();
        return took(room, fuse_add_direntry_plus(request_, at, room, name.c_str(), &entry, static_cast<off_t>(next)));
    }

    std::span<char const> bytes() const { return {buffer_.data(), used_}; }

private:
    std::pair<char*, std::size_t> rest() { return {buffer_.data() + used_, buffer_.size() - used_}; }

    bool took(std::size_t room, std::size_t needed) {
        if (needed > room) return false;
        used_ += needed;
        return true;
    }

    fuse_req* request_;
    std::vector<char> buffer_;
    std::size_t used_ = 0;
};

bool is_dot(std::string_view name) { return name == "." || name == ".."; }

}  // namespace

FuseOperations::FuseOperations(asio::any_io_executor executor, Filesystem& filesystem, torrent::Workers& workers)
    : filesystem_(filesystem),
      workers_(workers),
      pending_(executor),
      tasks_(executor, "fuse operations"),
      on_initialized_(executor) {}

void FuseOperations::initialize(fuse_conn_info& connection) {
    connection.max_read = limit::kMaxReadBytes;  // the mount option too, or the session dies at once
    connection.max_readahead = std::min(connection.max_readahead, limit::kMaxReadAheadBytes);
    connection.max_background = limit::kMaxBackground;
    connection.congestion_threshold = limit::kMaxBackground;
    unsigned const wanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_READDIRPLUS |
                            FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_ASYNC_DIO;
    // No splice: replies are written from memory. No checks of mtime and size before cached data is used: neither ever
    // changes.
    connection.want = connection.capable & wanted;
    initialized_ = true;
    on_initialized_.notify();
}

int FuseOperations::error_of_current_exception(PendingRequests::Pending const* pending) const {
    int const error = to_errno(std::current_exception(), filesystem_.settings().on_timeout);
    // Whoever cancelled knows better what it means than the coroutine that was cancelled.
    return error == EINTR && pending != nullptr && pending->when_cancelled != 0 ? pending->when_cancelled : error;
}

void FuseOperations::answer(FuseRequest request, Inode inode, Answer const& answer) {
    if (!filesystem_.ready(inode)) {
        if (refusing_) return refuse(std::move(request));
        auto& pending = pending_.add(std::move(request), 0);
        return pending_.start(pending, answer_later(pending, inode, answer));
    }
    try {
        answer(request);
    } catch (...) {
        if (!request.answered()) request.error(error_of_current_exception(nullptr));
    }
}

asio::awaitable<void> FuseOperations::answer_later(PendingRequests::Pending& pending, Inode inode, Answer answer) {
    int error = 0;
    try {
        co_await filesystem_.prepare(inode);
        answer(pending.request);
    } catch (...) {
        error = error_of_current_exception(&pending);
    }
    if (!pending.request.answered()) pending.request.error(error);
}

void FuseOperations::start_open(FuseRequest request, Inode inode, int flags) {
    if (refusing_) return refuse(std::move(request));
    auto& pending = pending_.add(std::move(request), 0);
    pending_.start(pending, open(pending, inode, flags));
}

asio::awaitable<void> FuseOperations::open(PendingRequests::Pending& pending, Inode inode, int flags) {
    int error = 0;
    try {
        co_await filesystem_.prepare(inode);
        auto const handle = co_await filesystem_.open(inode, flags, pending.thread);
        // A program that is gone never sends the release.
        if (!pending.request.opened(handle)) filesystem_.release(handle);
    } catch (...) {
        error = error_of_current_exception(&pending);
    }
    if (!pending.request.answered()) pending.request.error(error);
}

void FuseOperations::start_read(FuseRequest request, Handle handle, std::uint64_t offset, std::size_t bytes) {
    try {
        if (auto const slices = filesystem_.try_read(handle, offset, bytes)) return request.data(*slices);
    } catch (...) {
        return request.error(error_of_current_exception(nullptr));
    }
    if (refusing_) return refuse(std::move(request));
    auto& pending = pending_.add(std::move(request), handle);
    pending_.start(pending, read(pending, offset, bytes));
}

asio::awaitable<void> FuseOperations::read(PendingRequests::Pending& pending, std::uint64_t offset, std::size_t bytes) {
    int error = 0;
    try {
        auto const slices = co_await filesystem_.read(pending.handle, offset, bytes);
        pending.request.data(slices);
    } catch (...) {
        error = error_of_current_exception(&pending);
    }
    if (!pending.request.answered()) pending.request.error(error);
}

// The one sign of a killed reader: what the flushing thread itself was waiting for, nobody waits for any more. Others
// may still read through a duplicate of the descriptor, unless they are gone too.
void FuseOperations::flush(FuseRequest request, Handle handle) {
    auto const thread = request.thread();
    request.error(0);
    pending_.cancel(
        EINTR, [&](PendingRequests::Pending const& read) { return read.handle == handle && read.thread == thread; });
    if (refusing_ || pending_.readers().empty()) return;
    look_again_ = true;
    if (!looking_) tasks_.spawn(end_reads_of_the_dead());
}

asio::awaitable<void> FuseOperations::end_reads_of_the_dead() {
    if (looking_) co_return;
    looking_ = true;
    // However many readers die at once, one look after the last of them is enough.
    do {
        look_again_ = false;
        auto threads = pending_.readers();
        if (threads.empty()) break;
        auto const gone = co_await workers_.run(torrent::Workers::Lane::hash, &gone_threads, std::move(threads));
        auto const is_gone = [&gone](PendingRequests::Pending const& read) {
            return read.handle != 0 && std::binary_search(gone.begin(), gone.end(), read.thread);
        };
        pending_.cancel(EINTR, is_gone);
    } while (look_again_);
    looking_ = false;
}

void FuseOperations::list(FuseRequest& request, Inode directory, std::size_t bytes, std::uint64_t offset,
                          bool with_attributes) {
    Listing listing(request.raw(), bytes);
    std::vector<Inode> looked_up;
    auto const show = [&](std::string const& name, Inode inode, std::uint64_t next) {
        if (!with_attributes) {
            Attributes type_only;
            type_only.inode = inode;
            type_only.kind = filesystem_.kind(inode);
            return listing.add(name, to_stat(type_only), next);
        }
        if (!listing.add(name, to_entry(filesystem_.attributes(inode)), next)) return false;
        if (!is_dot(name)) looked_up.push_back(inode);
        return true;
    };
    filesystem_.list(directory, offset, show);
    if (!request.bytes(listing.bytes())) return;
    for (auto const inode : looked_up) filesystem_.looked_up(inode);
}

void FuseOperations::refuse() {
    refusing_ = true;
    pending_.cancel_all(EIO);
}

void FuseOperations::refuse(FuseRequest request) {
    ++refused_;
    request.error(EIO);
}

asio::awaitable<void> FuseOperations::stop() {
    refuse();
    co_await pending_.drained();
    co_await tasks_.stop();
}

// The functions libfuse calls.
struct FuseCallbacks {
    static FuseOperations& self(fuse_req_t request) {
        return *static_cast<FuseOperations*>(fuse_req_userdata(request));
    }

    static void init(void* self, fuse_conn_info* connection) {
        static_cast<FuseOperations*>(self)->initialize(*connection);
    }

    static void lookup(fuse_req_t raw, fuse_ino_t parent, char const* name) {
        auto& fs = self(raw).filesystem_;
        self(raw).answer(FuseRequest(raw), parent, [&fs, parent, name = std::string(name)](FuseRequest& request) {
            auto const attributes = fs.lookup(parent, name);
            if (request.entry(attributes)) fs.looked_up(attributes.inode);
        });
    }

    static void forget(fuse_req_t raw, fuse_ino_t inode, std::uint64_t times) {
        self(raw).filesystem_.forget(inode, times);
        FuseRequest(raw).nothing();
    }

    static void forget_multi(fuse_req_t raw, std::size_t count, fuse_forget_data* forgets) {
        for (auto const& one : std::span(forgets, count)) self(raw).filesystem_.forget(one.ino, one.nlookup);
        FuseRequest(raw).nothing();
    }

    static void getattr(fuse_req_t raw, fuse_ino_t inode, fuse_file_info*) {
        auto& fs = self(raw).filesystem_;
        self(raw).answer(FuseRequest(raw), inode,
                         [&fs, inode](FuseRequest& request) { request.attributes(fs.attributes(inode)); });
    }

    static void readlink(fuse_req_t raw, fuse_ino_t inode) {
        auto& fs = self(raw).filesystem_;
        self(raw).answer(FuseRequest(raw), inode,
                         [&fs, inode](FuseRequest& request) { request.link(fs.link_target(inode)); });
    }

    static void open(fuse_req_t raw, fuse_ino_t inode, fuse_file_info* info) {
        self(raw).start_open(FuseRequest(raw), inode, info->flags);
    }

    static void read(fuse_req_t raw, fuse_ino_t, std::size_t bytes, off_t offset, fuse_file_info* info) {
        self(raw).start_read(FuseRequest(raw), info->fh, static_cast<std::uint64_t>(offset), bytes);
    }

    static void flush(fuse_req_t raw, fuse_ino_t, fuse_file_info* info) { self(raw).flush(FuseRequest(raw), info->fh); }

    static void release(fuse_req_t raw, fuse_ino_t, fuse_file_info* info) {
        self(raw).filesystem_.release(info->fh);
        FuseRequest(raw).error(0);
    }

    static void list(fuse_req_t raw, fuse_ino_t directory, std::size_t bytes, off_t offset, bool plus) {
        auto& operations = self(raw);
        auto const from = static_cast<std::uint64_t>(offset);
        operations.answer(FuseRequest(raw), directory,
                          [&operations, directory, bytes, from, plus](FuseRequest& request) {
                              operations.list(request, directory, bytes, from, plus);
                          });
    }

    static void readdir(fuse_req_t raw, fuse_ino_t inode, std::size_t bytes, off_t offset, fuse_file_info*) {
        list(raw, inode, bytes, offset, false);
    }

    static void readdirplus(fuse_req_t raw, fuse_ino_t inode, std::size_t bytes, off_t offset, fuse_file_info*) {
        list(raw, inode, bytes, offset, true);
    }

    static void statfs(fuse_req_t raw, fuse_ino_t) {
        auto& fs = self(raw).filesystem_;
        FuseRequest(raw).space(fs.space(), fs.torrents());
    }

    static void getxattr(fuse_req_t raw, fuse_ino_t inode, char const* name, std::size_t room) {
        auto& fs = self(raw).filesystem_;
        self(raw).answer(FuseRequest(raw), inode, [&fs, inode, name = std::string(name), room](FuseRequest& request) {
            auto value = fs.xattr(inode, name);
            // Whoever asks for the size brings that much room next, when the text may have grown.
            if (room == 0 && name == kWhyXattr) value.append(limit::kWhyGrowthBytes, ' ');
            request.sized(value, room);
        });
    }

    static void listxattr(fuse_req_t raw, fuse_ino_t inode, std::size_t room) {
        auto& fs = self(raw).filesystem_;
        self(raw).answer(FuseRequest(raw), inode, [&fs, inode, room](FuseRequest& request) {
            std::string names;
            for (auto const name : fs.xattrs(inode)) names.append(name).append(1, '\0');
            request.sized(names, room);
        });
    }
};

fuse_lowlevel_ops const& FuseOperations::table() {
    static fuse_lowlevel_ops const operations = [] {
        fuse_lowlevel_ops ops = {};
        ops.init = &FuseCallbacks::init;
        ops.lookup = &FuseCallbacks::lookup;
        ops.forget = &FuseCallbacks::forget;
        ops.forget_multi = &FuseCallbacks::forget_multi;
        ops.getattr = &FuseCallbacks::getattr;
        ops.readlink = &FuseCallbacks::readlink;
        ops.open = &FuseCallbacks::open;
        ops.read = &FuseCallbacks::read;
        ops.flush = &FuseCallbacks::flush;
        ops.release = &FuseCallbacks::release;
        ops.readdir = &FuseCallbacks::readdir;
        ops.readdirplus = &FuseCallbacks::readdirplus;
        ops.statfs = &FuseCallbacks::statfs;
        ops.getxattr = &FuseCallbacks::getxattr;
        ops.listxattr = &FuseCallbacks::listxattr;
        return ops;
    }();
    return operations;
}

}  // namespace rqfs::fs
