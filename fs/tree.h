#pragma once

#include "fs/inode.h"
#include "fs/torrent_tree.h"
#include "torrent/info_hash.h"
#include "torrent/library.h"
#include "torrent/units.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rqfs::fs {

// What stands behind an inode.
struct Node {
    Inode inode = kRootInode;
    TorrentTree::Kind kind = TorrentTree::Kind::directory;
    std::optional<torrent::InfoHash> torrent;  // nothing for the root
    std::optional<torrent::FileIndex> file;    // only of kind file
    std::uint64_t bytes = 0;                   // size; of a link the length of its target
    bool executable = false;
    std::chrono::sys_seconds time{};
};

// Which names there are in the mount and what they stand for: a directory per torrent, its files below. Pure; engine
// thread.
//
// A torrent's directory is called as the torrent remembers, else by its name, else (a magnet) by its dn, else by its
// info-hash; the later of two that want one name gets " [8 hex digits]". Its 40-hex name always works too, but is not
// listed. What is below a torrent's directory is laid out when first asked for and may be dropped when the kernel has
// forgotten it, as the same numbers come out again.
class Tree {
public:
    using Entry = torrent::Library::Entry;

    // Adds a torrent, or takes note of its metadata: the name of its directory from now on.
    std::string const& put(Entry const& entry);
    // The name its directory had; nothing when it is not there.
    std::optional<std::string> remove(torrent::InfoHash const& info_hash);

    std::string const* directory(torrent::InfoHash const& info_hash) const;  // null when it is not there
    std::optional<Inode> inode(torrent::InfoHash const& info_hash) const;
    Entry const* entry(torrent::InfoHash const& info_hash) const;

    // Nothing when there is no such thing, or no more.
    std::optional<Inode> lookup(Inode parent, std::string_view name);
    std::optional<Node> node(Inode inode);
    std::optional<std::string> link_target(Inode inode);
    // The untrusted name as the torrent has it; nothing for the root.
    std::optional<std::string> raw_name(Inode inode);

    // Calls `show` for what is in the directory (without "." and ".."), from the place `offset` on (0 is the start)
    // until it returns false. The last argument is the place after that entry. False when there is no such directory.
    using Show = std::function<bool(std::string const& name, Inode inode, std::uint64_t next)>;
    bool list(Inode directory, std::uint64_t offset, Show const& show);
    std::optional<Inode> parent(Inode directory);

    // The kernel holds `inode` once more, or `times` less.
    void looked_up(Inode inode);
    void forget(Inode inode, std::uint64_t times);

    // For large torrents, whose layout would keep the engine too long: the metadata that somebody has to make a
    // TorrentTree of and install before asking for `inode`; null when there is nothing to do.
    std::shared_ptr<torrent::Metainfo const> needs_layout(Inode inode) const;
    void install(torrent::InfoHash const& info_hash, std::unique_ptr<TorrentTree const> layout);

    std::size_t torrents() const { return by_sequence_.size(); }
    std::size_t remembered_nodes() const { return remembered_nodes_; }

private:
    struct Torrent {
        Entry entry;
        std::string directory;
        std::uint32_t number = 0;
        std::uint64_t sequence = 0;
        std::uint64_t lookups = 0;  // the kernel holds below and including its directory
        std::unique_ptr<TorrentTree const> layout;
    };

    std::uint32_t number_for(torrent::InfoHash const& info_hash);
    std::string choose_directory(Entry const& entry) const;
    bool is_free(std::string const& name, torrent::InfoHash const& info_hash) const;
    Torrent* find(Inode inode);
    Torrent const* find(torrent::InfoHash const& info_hash) const;
    TorrentTree const& layout_of(Torrent& torrent);
    void drop_unused_layouts(std::uint32_t except);
    std::optional<Inode> lookup_in_root(std::string_view name) const;
    bool list_root(std::uint64_t offset, Show const& show) const;
    Node describe(Torrent& torrent, Inode inode);

    std::map<torrent::InfoHash, std::uint32_t>
        numbers_;  // of all torrents ever seen: a number is never used for another
    std::unordered_map<std::uint32_t, torrent::InfoHash> taken_numbers_;
    std::unordered_map<std::uint32_t, Torrent> torrents_;  // by number
    std::unordered_map<std::string, std::uint32_t> by_name_;
    std::map<std::uint64_t, std::uint32_t> by_sequence_;
    std::uint64_t last_sequence_ = 0;
    std::size_t remembered_nodes_ = 0;
};

}  // namespace rqfs::fs
