#include "fs/filesystem.h"

#include "fs/log.h"
#include "fs/read_policy.h"
#include "fs/reader_program.h"
#include "fs/to_errno.h"
#include "fs/xattrs.h"
#include "torrent/error.h"
#include "torrent/timeout.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace rqfs::fs {

namespace asio = boost::asio;

using torrent::Errc;

namespace {

constexpr mode_t kFilePermissions = 0444;
constexpr mode_t kDirectoryPermissions = 0555;

// After a read that was answered.
void guide(OpenFile& file, torrent::ByteRange range, Slices const& slices) {
    if (file.guide && !file.guide->look(*file.stream, range, slices)) file.guide.reset();
}

std::unique_ptr<TorrentTree const> lay_out(std::shared_ptr<torrent::Metainfo const> metainfo) {
    return std::make_unique<TorrentTree const>(metainfo->files());
}

}  // namespace

Filesystem::Filesystem(torrent::Library& library, torrent::Clock& clock, torrent::Workers& workers,
                       Settings const& settings)
    : library_(library),
      clock_(clock),
      workers_(workers),
      settings_(settings),
      uid_(settings.uid.value_or(::geteuid())),
      gid_(settings.gid.value_or(::getegid())) {
    changed({});
    for (auto const& entry : library_.entries()) show(entry);
    library_.observe(this);
}

Filesystem::~Filesystem() { library_.observe(nullptr); }

// Only the name that comes with metadata is kept for ever: a magnet's own is given up when the torrent's arrives.
void Filesystem::show(torrent::Library::Entry const& entry) {
    auto const& name = tree_.put(entry);
    if (entry.metainfo && name != entry.directory) library_.remember_directory(entry.info_hash, name);
}

void Filesystem::changed(Change change) {
    changed_at_ = std::chrono::floor<std::chrono::seconds>(clock_.wall_now());
    if (on_change) on_change(std::move(change));
}

void Filesystem::torrent_added(torrent::InfoHash const& info_hash) {
    if (auto const entry = library_.entry(info_hash)) show(*entry);
    changed({});
}

void Filesystem::metadata_arrived(torrent::InfoHash const& info_hash) {
    auto const entry = library_.entry(info_hash);
    if (!entry) return;
    Change change;
    if (auto const* const before = tree_.directory(info_hash)) change.gone_names.push_back(*before);
    show(*entry);
    changed(std::move(change));
}

void Filesystem::torrent_removed(torrent::InfoHash const& info_hash) {
    Change change;
    if (auto name = tree_.remove(info_hash)) change.gone_names.push_back(std::move(*name));
    change.gone_names.push_back(info_hash.hex());
    for (auto const& [handle, file] : files_) {
        if (file->torrent != info_hash) continue;
        file->removed = true;
        change.gone_files.push_back(file->inode);
    }
    changed(std::move(change));
}

asio::awaitable<void> Filesystem::prepare(Inode inode) {
    auto metainfo = tree_.needs_layout(inode);
    if (!metainfo) co_return;
    auto const info_hash = metainfo->info_hash();
    auto layout = co_await workers_.run(torrent::Workers::Lane::hash, &lay_out, metainfo);
    // Meanwhile the torrent may have gone; then nobody wants it.
    tree_.install(info_hash, std::move(layout));
}

Node Filesystem::node(Inode inode) {
    auto const found = tree_.node(inode);
    if (!found) throw_errno(ESTALE);
    return *found;
}

Attributes Filesystem::describe(Node const& node) const {
    Attributes attributes;
    attributes.inode = node.inode;
    attributes.kind = node.kind;
    attributes.bytes = node.bytes;
    if (node.file) attributes.stored_bytes = library_.stored_bytes(*node.torrent, *node.file);
    bool const executable = node.kind == TorrentTree::Kind::directory || node.executable;
    attributes.permissions = (executable ? kDirectoryPermissions : kFilePermissions) & ~settings_.umask;
    if (node.kind == TorrentTree::Kind::link) attributes.permissions = 0777;  // as the kernel shows all links
    attributes.uid = uid_;
    attributes.gid = gid_;
    attributes.time = node.torrent ? node.time : changed_at_;
    return attributes;
}

Attributes Filesystem::lookup(Inode parent, std::string_view name) {
    auto const inode = tree_.lookup(parent, name);
    if (!inode) throw_errno(ENOENT);
    return attributes(*inode);
}

Attributes Filesystem::attributes(Inode inode) { return describe(node(inode)); }

std::string Filesystem::link_target(Inode inode) {
    auto target = tree_.link_target(inode);
    if (!target) throw_errno(EINVAL);
    return std::move(*target);
}

void Filesystem::list(Inode directory, std::uint64_t offset, Tree::Show const& show) {
    constexpr std::uint64_t kDots = 2;  // "." and ".." take the first two places
    auto const parent = tree_.parent(directory);
    if (!parent) throw_errno(ENOENT);
    if (offset == 0 && !show(".", directory, 1)) return;
    if (offset <= 1 && !show("..", *parent, kDots)) return;
    auto const shifted = [&show](std::string const& name, Inode inode, std::uint64_t next) {
        return show(name, inode, next + kDots);
    };
    if (!tree_.list(directory, offset < kDots ? 0 : offset - kDots, shifted)) throw_errno(ENOTDIR);
}

std::vector<std::string_view> Filesystem::xattrs(Inode inode) {
    auto const found = node(inode);
    return found.torrent ? xattr_names(found.file.has_value()) : std::vector<std::string_view>();
}

std::string Filesystem::xattr(Inode inode, std::string_view name) {
    auto const found = node(inode);
    if (!found.torrent) throw_errno(ENODATA);
    auto const& hash = *found.torrent;
    if (name == kWhyXattr && found.file) {
        auto why = library_.why(hash, *found.file);
        why.limit = read_limit();
        return whole_lines(explain(why), limit::kWhyBytes);
    }
    XattrFacts const facts{hash, library_.state(hash), library_.progress(hash), tree_.raw_name(inode).value_or(""),
                           found.file};
    auto value = xattr_value(name, facts);
    if (!value) throw_errno(ENODATA);
    return std::move(*value);
}

torrent::ReadLimit Filesystem::read_limit() const {
    return {settings_.read_timeout, settings_.on_timeout == OnTimeout::eio ? "EIO" : "EAGAIN"};
}

asio::awaitable<Handle> Filesystem::open(Inode inode, int flags, pid_t thread) {
    if ((flags & O_ACCMODE) != O_RDONLY) throw_errno(EROFS);
    if (node(inode).kind == TorrentTree::Kind::directory) throw_errno(EISDIR);
    auto program = co_await workers_.run(torrent::Workers::Lane::hash, &read_reader_program, thread);
    auto const found = node(inode);  // again: it may have gone meanwhile
    auto file = std::make_shared<OpenFile>();
    file->inode = inode;
    file->torrent = found.torrent;
    file->bytes = found.bytes;
    if (found.file) {
        log().debug("opened torrent={} file={} program={} process={}", found.torrent->short_hex(), found.file->value(),
                    program.name, program.process_id);
        file->stream = library_.open(*found.torrent, *found.file, std::move(program));
        file->guide = std::make_unique<MediaGuide>(found.bytes, tree_.raw_name(inode).value_or(""));
    }
    files_.emplace(++last_handle_, std::move(file));
    co_return last_handle_;
}

std::shared_ptr<OpenFile> Filesystem::opened(Handle handle) const {
    auto const found = files_.find(handle);
    if (found == files_.end()) throw_errno(EBADF);
    if (found->second->removed) torrent::throw_error(Errc::removed, "the torrent was removed");
    return found->second;
}

std::optional<Slices> Filesystem::try_read(Handle handle, std::uint64_t offset, std::uint64_t bytes) {
    auto const file = opened(handle);
    auto const range = readable_range(file->bytes, offset, bytes);
    if (range.empty() || !file->stream) return Slices();
    auto slices = file->stream->try_read(range);
    if (slices) guide(*file, range, *slices);
    return slices;
}

asio::awaitable<Slices> Filesystem::read(Handle handle, std::uint64_t offset, std::uint64_t bytes) {
    auto const file = opened(handle);  // kept: a release must not end the stream under the read
    auto const range = readable_range(file->bytes, offset, bytes);
    if (range.empty() || !file->stream) co_return Slices();
    auto const wait = read_wait(settings_);
    if (!wait) {
        auto slices = co_await file->stream->read(range);
        guide(*file, range, slices);
        co_return slices;
    }
    std::string const too_late = "no data within the read timeout";
    if (file->failed.is_second_try(range, clock_.now())) torrent::throw_error(Errc::timed_out, too_late);
    auto reading = file->stream->read(range);
    try {
        auto slices = co_await torrent::with_timeout(clock_, std::move(reading), *wait, too_late);
        guide(*file, range, slices);
        co_return slices;
    } catch (boost::system::system_error const& e) {
        if (e.code() == Errc::timed_out) {
            log().info("a read waited in vain torrent={} inode={} offset={}", file->torrent->short_hex(), file->inode, offset);
            file->failed.failed(range, clock_.now());
        } else if (e.code() == Errc::not_allowed) {
            log().debug("a read was refused torrent={} inode={} offset={} reason=\"{}\"", file->torrent->short_hex(), file->inode,
                        offset, e.what());
        }
        throw;
    }
}

std::string Filesystem::directory(torrent::InfoHash const& info_hash) const {
    auto const* const name = tree_.directory(info_hash);
    return name == nullptr ? std::string() : *name;
}

void Filesystem::set_read_limits(std::chrono::milliseconds timeout, OnTimeout on_timeout) {
    settings_.read_timeout = timeout;
    settings_.on_timeout = on_timeout;
}

}  // namespace rqfs::fs
