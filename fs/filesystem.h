#pragma once

#include "fs/inode.h"
#include "fs/open_file.h"
#include "fs/settings.h"
#include "fs/tree.h"
#include "torrent/clock.h"
#include "torrent/library.h"
#include "torrent/shared_bytes.h"
#include "torrent/why.h"
#include "torrent/workers.h"

#include <boost/asio/awaitable.hpp>

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rqfs::fs {

// What stat says.
struct Attributes {
    Inode inode = 0;
    TorrentTree::Kind kind = TorrentTree::Kind::directory;
    std::uint64_t bytes = 0;
    std::uint64_t stored_bytes = 0;
    mode_t permissions = 0;
    uid_t uid = 0;
    gid_t gid = 0;
    std::chrono::sys_seconds time{};
};

using Handle = std::uint64_t;
using Slices = std::vector<torrent::SharedBytes>;

// The operations of a read-only filesystem over a Library, in our own types: what the kernel asks, without FUSE. Errors
// are exceptions that to_errno knows. Only open() and read() wait; all others answer at once, never from the network.
// Engine thread; the Library, Clock and Workers outlive it.
class Filesystem final : torrent::Library::Observer {
public:
    // A change of the root directory: names that the kernel must forget, and files that are no more.
    struct Change {
        std::vector<std::string> gone_names;
        std::vector<Inode> gone_files;  // open ones
    };

    Filesystem(torrent::Library& library, torrent::Clock& clock, torrent::Workers& workers, Settings const& settings);
    Filesystem(Filesystem const&) = delete;
    Filesystem& operator=(Filesystem const&) = delete;
    ~Filesystem() override;

    // Called after each change; one listener.
    std::function<void(Change)> on_change;

    // A directory laid out for the first time may take a second when its torrent is large: while this is false, await
    // prepare(inode) before asking for anything else about `inode`.
    bool ready(Inode inode) const { return tree_.needs_layout(inode) == nullptr; }
    boost::asio::awaitable<void> prepare(Inode inode);

    Attributes lookup(Inode parent, std::string_view name);
    Attributes attributes(Inode inode);
    TorrentTree::Kind kind(Inode inode) { return node(inode).kind; }
    std::string link_target(Inode inode);
    // "." and ".." included; `show` gets a place to go on from and returns false when it is full.
    void list(Inode directory, std::uint64_t offset, Tree::Show const& show);
    std::vector<std::string_view> xattrs(Inode inode);
    std::string xattr(Inode inode, std::string_view name);
    // How long a read may wait, in words for why.
    torrent::ReadLimit read_limit() const;
    torrent::DiskSpace space() const { return library_.space(); }
    std::size_t torrents() const { return tree_.torrents(); }

    // The kernel's count of references to inodes.
    void looked_up(Inode inode) { tree_.looked_up(inode); }
    void forget(Inode inode, std::uint64_t times) { tree_.forget(inode, times); }

    boost::asio::awaitable<Handle> open(Inode inode, int flags, pid_t thread);
    void release(Handle handle) { files_.erase(handle); }
    // The same bytes, if they are there; else nothing.
    std::optional<Slices> try_read(Handle handle, std::uint64_t offset, std::uint64_t bytes);
    boost::asio::awaitable<Slices> read(Handle handle, std::uint64_t offset, std::uint64_t bytes);
    std::size_t open_files() const { return files_.size(); }

    // The name of the torrent's directory below the mount point; empty when it is not there.
    std::string directory(torrent::InfoHash const& info_hash) const;

    Settings const& settings() const { return settings_; }
    // New values for reads that begin from now on.
    void set_read_limits(std::chrono::milliseconds timeout, OnTimeout on_timeout);

private:
    void torrent_added(torrent::InfoHash const& info_hash) override;
    void metadata_arrived(torrent::InfoHash const& info_hash) override;
    void torrent_removed(torrent::InfoHash const& info_hash) override;

    void show(torrent::Library::Entry const& entry);
    void changed(Change change);
    Node node(Inode inode);
    Attributes describe(Node const& node) const;
    std::shared_ptr<OpenFile> opened(Handle handle) const;

    torrent::Library& library_;
    torrent::Clock& clock_;
    torrent::Workers& workers_;
    Settings settings_;
    uid_t uid_;
    gid_t gid_;
    Tree tree_;
    std::chrono::sys_seconds changed_at_{};  // of the root directory
    std::unordered_map<Handle, std::shared_ptr<OpenFile>> files_;
    Handle last_handle_ = 0;
};

}  // namespace rqfs::fs
