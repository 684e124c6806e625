#pragma once

#include "fs/torrent_tree.h"
#include "torrent/metainfo/metainfo.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rqfs::fs {

// Lays out a torrent's files in a TorrentTree: finds the directories, names what is in each, then resolves links. Used
// once.
class TorrentTreeBuilder {
public:
    TorrentTreeBuilder(std::vector<torrent::TorrentFile> const& files, TorrentTree& tree);

    void build();

private:
    using Index = TorrentTree::Index;

    struct Directory {
        std::uint32_t parent = 0;
        std::uint32_t file = 0;  // one below it
        std::uint32_t depth = 0;
        std::size_t path_bytes = 0;  // at most, from the mount point on
        Index node = 0;
        std::uint32_t items_begin = 0;
        std::uint32_t items_end = 0;
    };

    // Something in a directory: another directory or a file.
    struct Item {
        std::uint32_t directory = 0;  // where it lies
        std::uint32_t id = 0;         // number of the directory, or of the file
        bool is_directory = false;
    };

    // A raw name in a directory.
    struct Key {
        std::uint32_t directory = 0;
        std::string_view raw;
        friend bool operator==(Key const&, Key const&) = default;
    };
    struct KeyHash {
        std::size_t operator()(Key const& key) const noexcept {
            return std::hash<std::string_view>{}(key.raw) ^ (key.directory * 0x9E3779B97F4A7C15u);
        }
    };

    void find_directories();
    std::uint32_t directory_of(std::uint32_t file);
    std::uint32_t directory_in(std::uint32_t parent, std::uint32_t file);
    void group_items();
    void name_children(std::uint32_t directory);
    void add_node(Item const& item, std::string_view name, Index parent, std::uint32_t depth);
    std::string_view raw_name(Item const& item) const;

    void resolve_links();
    bool target_of(Index link, Index& target) const;
    bool is_above(Index directory, Index node) const;

    std::vector<torrent::TorrentFile> const& files_;
    TorrentTree& tree_;
    std::vector<Directory> directories_;
    std::vector<Item> items_;  // grouped by where they lie
    std::unordered_map<Key, std::uint32_t, KeyHash> directory_ids_;
    std::unordered_map<Key, Index, KeyHash> file_nodes_;  // filled only when there are links
    bool has_links_ = false;
};

}  // namespace rqfs::fs
