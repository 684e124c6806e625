#include "fs/torrent_tree.h"

#include "fs/torrent_tree_builder.h"

#include <algorithm>
#include <cassert>

namespace rqfs::fs {

TorrentTree::TorrentTree(std::vector<torrent::TorrentFile> const& files) { TorrentTreeBuilder(files, *this).build(); }

std::string_view TorrentTree::name(Index node) const {
    auto const& n = nodes_[node];
    return std::string_view(names_).substr(n.name_begin, n.name_bytes);
}

std::pair<TorrentTree::Index, TorrentTree::Index> TorrentTree::children(Index directory) const {
    assert(kind(directory) == Kind::directory);
    return {nodes_[directory].first_child, nodes_[directory].end_child};
}

std::optional<TorrentTree::Index> TorrentTree::find(Index directory, std::string_view wanted) const {
    auto [first, end] = children(directory);
    auto const last = end;
    while (first < end) {
        Index const middle = first + (end - first) / 2;
        if (name(middle) < wanted)
            first = middle + 1;
        else
            end = middle;
    }
    if (first == last || name(first) != wanted) return std::nullopt;
    return first;
}

std::string TorrentTree::link_target(Index link) const {
    assert(kind(link) == Kind::link);
    Index from = parent(link);
    Index to = nodes_[link].first_child;
    std::string up;
    std::vector<Index> down;
    auto const depth = [this](Index node) { return nodes_[node].depth; };
    while (from != to) {
        if (depth(from) >= depth(to)) {
            up.append("../");
            from = parent(from);
        } else {
            down.push_back(to);
            to = parent(to);
        }
    }
    std::string target = std::move(up);
    for (auto node = down.rbegin(); node != down.rend(); ++node) target.append(name(*node)).append(1, '/');
    target.pop_back();
    return target;
}

}  // namespace rqfs::fs
