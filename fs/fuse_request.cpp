#include "fs/fuse_request.h"

#include "fs/settings.h"

#include <fuse3/fuse_lowlevel.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <climits>
#include <utility>
#include <vector>

namespace rqfs::fs {

namespace {

constexpr std::uint64_t kBlockBytes = 512;      // of st_blocks, whatever st_blksize says
constexpr std::uint64_t kFragmentBytes = 4096;  // of statfs
// Inodes are made up as they are needed: as many are free as ext4 makes on 16 GiB, so that nobody warns of a lack of them.
constexpr std::uint64_t kFreeInodes = 1u << 20;

// Seconds the kernel may believe us. Names inside a torrent never change; the torrent's directory may be renamed or
// removed, of which the kernel is told, so that this only bounds a lost notice. Sizes never change, but st_blocks does.
constexpr double kNameTimeout = 3600;
constexpr double kDirectoryNameTimeout = 10;
constexpr double kAttributesTimeout = 1;

mode_t type_of(TorrentTree::Kind kind) {
    switch (kind) {
        case TorrentTree::Kind::directory: return S_IFDIR;
        case TorrentTree::Kind::link: return S_IFLNK;
        case TorrentTree::Kind::file:
        case TorrentTree::Kind::empty: return S_IFREG;
    }
    return S_IFREG;
}

}  // namespace

struct stat to_stat(Attributes const& attributes) {
    struct stat s = {};
    s.st_ino = attributes.inode;
    s.st_mode = type_of(attributes.kind) | attributes.permissions;
    s.st_nlink = 1;
    s.st_uid = attributes.uid;
    s.st_gid = attributes.gid;
    s.st_size = static_cast<off_t>(attributes.bytes);
    s.st_blocks = static_cast<blkcnt_t>((attributes.stored_bytes + kBlockBytes - 1) / kBlockBytes);
    s.st_blksize = limit::kMaxReadBytes;
    s.st_mtim.tv_sec = s.st_ctim.tv_sec = s.st_atim.tv_sec = attributes.time.time_since_epoch().count();
    return s;
}

fuse_entry_param to_entry(Attributes const& attributes) {
    fuse_entry_param entry = {};
    entry.ino = attributes.inode;
    entry.generation = 1;  // an inode number never comes to mean something else
    entry.attr = to_stat(attributes);
    entry.attr_timeout = kAttributesTimeout;
    entry.entry_timeout = node_number(attributes.inode) == TorrentTree::kRoot ? kDirectoryNameTimeout : kNameTimeout;
    return entry;
}

FuseRequest::FuseRequest(FuseRequest&& other) noexcept : request_(std::exchange(other.request_, nullptr)) {
    assert(other.interrupted_ == nullptr && "libfuse knows the address of a request that can be interrupted");
}

FuseRequest::~FuseRequest() {
    if (!answered()) error(EIO);
}

fuse_req* FuseRequest::take() {
    assert(!answered() && "a request is answered once");
    return std::exchange(request_, nullptr);
}

pid_t FuseRequest::thread() const { return fuse_req_ctx(request_)->pid; }

bool FuseRequest::on_interrupt(void (*interrupted)(void*), void* data) {
    // libfuse calls back under a lock of the request when it is interrupted already, where it must not be answered: ask
    // instead.
    if (fuse_req_interrupted(request_) != 0) return true;
    interrupted_ = interrupted;
    interrupt_data_ = data;
    auto const forward = [](fuse_req*, void* self) {
        auto* const request = static_cast<FuseRequest*>(self);
        request->interrupted_(request->interrupt_data_);
    };
    fuse_req_interrupt_func(request_, forward, this);
    return false;
}

void FuseRequest::error(int error) { fuse_reply_err(take(), error); }

void FuseRequest::nothing() { fuse_reply_none(take()); }

bool FuseRequest::entry(Attributes const& attributes) {
    auto const entry = to_entry(attributes);
    return fuse_reply_entry(take(), &entry) == 0;
}

void FuseRequest::attributes(Attributes const& attributes) {
    auto const stat = to_stat(attributes);
    fuse_reply_attr(take(), &stat, kAttributesTimeout);
}

void FuseRequest::link(std::string const& target) { fuse_reply_readlink(take(), target.c_str()); }

bool FuseRequest::opened(Handle handle) {
    fuse_file_info info = {};
    info.fh = handle;
    info.keep_cache = 1;  // what a torrent holds never changes
    return fuse_reply_open(take(), &info) == 0;
}

void FuseRequest::data(Slices const& slices) {
    // One place is for libfuse's header.
    if (slices.size() >= IOV_MAX) {
        std::vector<char> joined;
        for (auto const& slice : slices) {
            auto const* const begin = reinterpret_cast<char const*>(slice.data());
            joined.insert(joined.end(), begin, begin + slice.size());
        }
        bytes(joined);
        return;
    }
    std::vector<iovec> parts;
    parts.reserve(slices.size());
    for (auto const& slice : slices) parts.push_back({const_cast<std::byte*>(slice.data()), slice.size()});
    fuse_reply_iov(take(), parts.data(), static_cast<int>(parts.size()));
}

bool FuseRequest::bytes(std::span<char const> bytes) { return fuse_reply_buf(take(), bytes.data(), bytes.size()) == 0; }

void FuseRequest::sized(std::string const& value, std::size_t room) {
    if (room == 0)
        fuse_reply_xattr(take(), value.size());
    else if (room < value.size())
        error(ERANGE);
    else
        bytes(value);
}

void FuseRequest::space(torrent::DiskSpace const& space, std::size_t files) {
    struct statvfs s = {};
    s.f_bsize = s.f_frsize = kFragmentBytes;
    s.f_blocks = space.total_bytes / kFragmentBytes;
    s.f_bfree = std::max(space.unused_bytes, space.free_bytes) / kFragmentBytes;
    s.f_bavail = space.free_bytes / kFragmentBytes;
    s.f_ffree = s.f_favail = kFreeInodes;
    s.f_files = files + kFreeInodes;
    s.f_namemax = limit::kNameBytes;
    fuse_reply_statfs(take(), &s);
}

}  // namespace rqfs::fs
