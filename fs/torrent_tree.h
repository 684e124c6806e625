#pragma once

#include "torrent/metainfo/metainfo.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rqfs::fs {

// The directories and files of one torrent as they are shown: safe, unique names; pad files left out; links only where
// they stay inside. Pure and immutable; the same files always give the same nodes with the same numbers, so that it may
// be dropped and built again.
//
// Files that lie too deep for the limits of settings.h are shown in the deepest directory that is within them.
class TorrentTree {
public:
    using Index = std::uint32_t;
    static constexpr Index kRoot = 0;  // the torrent's directory itself

    enum class Kind : std::uint8_t {
        directory,
        file,
        link,   // of BEP 47; leads to another node of this torrent that is no link
        empty,  // a link that does not: an empty file
    };

    explicit TorrentTree(std::vector<torrent::TorrentFile> const& files);

    std::size_t size() const { return nodes_.size(); }
    bool contains(Index node) const { return node < nodes_.size(); }

    Kind kind(Index node) const { return nodes_[node].kind; }
    std::string_view name(Index node) const;  // empty for the root
    Index parent(Index node) const { return nodes_[node].parent; }
    // The file of the torrent; for a directory one that lies below it.
    torrent::FileIndex file(Index node) const { return torrent::FileIndex(nodes_[node].file); }
    // Where in that file's path the node's raw name stands; only for others than the root.
    std::size_t raw_element(Index node) const { return nodes_[node].raw_element; }

    // The children of a directory are [first, second), sorted by name.
    std::pair<Index, Index> children(Index directory) const;
    std::optional<Index> find(Index directory, std::string_view name) const;

    // What readlink gives for a link: relative, never above the torrent's directory.
    std::string link_target(Index link) const;

private:
    friend class TorrentTreeBuilder;

    struct Node {
        std::uint32_t name_begin = 0;
        std::uint8_t name_bytes = 0;
        Kind kind = Kind::directory;
        std::uint16_t depth = 0;  // of the root 0
        Index parent = kRoot;
        std::uint32_t file = 0;
        std::uint32_t raw_element = 0;
        Index first_child = 0;  // of a link: its target
        Index end_child = 0;
    };

    std::vector<Node> nodes_;
    std::string names_;
};

}  // namespace rqfs::fs
