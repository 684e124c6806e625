#include "fs/torrent_tree_builder.h"

#include "fs/file_names.h"
#include "fs/settings.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <string>

namespace rqfs::fs {

namespace {

constexpr std::size_t kElementBytes = limit::kNameBytes + 1;  // with its slash
constexpr std::size_t kPathBytes = limit::kPathBytes - limit::kMountPointBytes;
constexpr std::size_t kNumberBytes = 10;  // " (1000000)": what making a name unique may add

std::string_view last_element(torrent::TorrentFile const& file) {
    return file.path.empty() ? std::string_view() : std::string_view(file.path.back());
}

}  // namespace

TorrentTreeBuilder::TorrentTreeBuilder(std::vector<torrent::TorrentFile> const& files, TorrentTree& tree)
    : files_(files), tree_(tree) {}

void TorrentTreeBuilder::build() {
    directories_.emplace_back().path_bytes = kElementBytes;
    find_directories();
    group_items();
    tree_.nodes_.reserve(items_.size() + 1);
    tree_.nodes_.emplace_back();
    // Naming the children of a directory appends their nodes, so that this meets every directory.
    std::vector<std::uint32_t> order{0};
    for (std::size_t i = 0; i < order.size(); ++i) {
        auto const directory = order[i];
        name_children(directory);
        for (auto item = directories_[directory].items_begin; item < directories_[directory].items_end; ++item)
            if (items_[item].is_directory) order.push_back(items_[item].id);
    }
    if (has_links_) resolve_links();
}

void TorrentTreeBuilder::find_directories() {
    for (std::uint32_t file = 0; file < files_.size(); ++file) {
        if (files_[file].pad) continue;
        has_links_ = has_links_ || !files_[file].symlink.empty();
        auto const directory = directory_of(file);
        items_.push_back({directory, file, false});
    }
}

std::uint32_t TorrentTreeBuilder::directory_of(std::uint32_t file) {
    std::uint32_t directory = 0;
    auto const depth = files_[file].path.empty() ? 0 : files_[file].path.size() - 1;
    for (std::size_t element = 0; element < depth; ++element) {
        auto const next = directory_in(directory, file);
        if (next == directory) break;
        directory = next;
    }
    return directory;
}

// The directory that the next element of the file's path names; `parent` itself when that would be over a limit.
std::uint32_t TorrentTreeBuilder::directory_in(std::uint32_t parent, std::uint32_t file) {
    Directory const above = directories_[parent];
    std::string_view const raw = files_[file].path[above.depth];
    if (auto const found = directory_ids_.find({parent, raw}); found != directory_ids_.end()) return found->second;

    // A path has the torrent's directory, those below it, and a file.
    if (above.depth + 3 > limit::kPathDepth || directories_.size() >= limit::kDirectoriesPerTorrent) return parent;
    std::size_t const name_bytes = std::min(safe_name(raw).size() + kNumberBytes, limit::kNameBytes);
    std::size_t const path_bytes = above.path_bytes + name_bytes + 1;
    if (path_bytes + kElementBytes > kPathBytes) return parent;

    auto const id = static_cast<std::uint32_t>(directories_.size());
    Directory made;
    made.parent = parent;
    made.file = file;
    made.depth = above.depth + 1;
    made.path_bytes = path_bytes;
    directories_.push_back(made);
    directory_ids_.emplace(Key{parent, raw}, id);
    items_.push_back({parent, id, true});
    return id;
}

void TorrentTreeBuilder::group_items() {
    for (auto const& item : items_) ++directories_[item.directory].items_end;
    std::uint32_t begin = 0;
    for (auto& directory : directories_) {
        auto const count = directory.items_end;
        directory.items_begin = directory.items_end = begin;
        begin += count;
    }
    std::vector<Item> grouped(items_.size());
    for (auto const& item : items_) grouped[directories_[item.directory].items_end++] = item;
    items_ = std::move(grouped);
}

std::string_view TorrentTreeBuilder::raw_name(Item const& item) const {
    if (!item.is_directory) return last_element(files_[item.id]);
    auto const& directory = directories_[item.id];
    return files_[directory.file].path[directory.depth - 1];
}

void TorrentTreeBuilder::name_children(std::uint32_t id) {
    Directory const directory = directories_[id];
    std::vector<Sibling> siblings;
    siblings.reserve(directory.items_end - directory.items_begin);
    for (auto i = directory.items_begin; i < directory.items_end; ++i)
        siblings.push_back(
            {raw_name(items_[i]), items_[i].is_directory, items_[i].is_directory ? 0 : files_[items_[i].id].bytes});
    auto const names = unique_names(siblings);

    std::vector<std::uint32_t> order(names.size());
    std::iota(order.begin(), order.end(), 0u);
    auto const before = [&names](std::uint32_t a, std::uint32_t b) { return names[a] < names[b]; };
    if (!std::is_sorted(order.begin(), order.end(), before)) std::sort(order.begin(), order.end(), before);

    tree_.nodes_[directory.node].first_child = static_cast<Index>(tree_.nodes_.size());
    for (auto const i : order)
        add_node(items_[directory.items_begin + i], names[i], directory.node, directory.depth + 1);
    tree_.nodes_[directory.node].end_child = static_cast<Index>(tree_.nodes_.size());
}

void TorrentTreeBuilder::add_node(Item const& item, std::string_view name, Index parent, std::uint32_t depth) {
    TorrentTree::Node node;
    node.name_begin = static_cast<std::uint32_t>(tree_.names_.size());
    node.name_bytes = static_cast<std::uint8_t>(name.size());
    node.depth = static_cast<std::uint16_t>(depth);
    node.parent = parent;
    tree_.names_.append(name);
    auto const index = static_cast<Index>(tree_.nodes_.size());
    if (item.is_directory) {
        auto& directory = directories_[item.id];
        directory.node = index;
        node.file = directory.file;
        node.raw_element = directory.depth - 1;
    } else {
        auto const& file = files_[item.id];
        node.kind = file.symlink.empty() ? TorrentTree::Kind::file : TorrentTree::Kind::empty;
        node.file = item.id;
        node.raw_element = file.path.empty() ? 0 : static_cast<std::uint32_t>(file.path.size() - 1);
        // A file moved up by the limits is not where a link would look for it.
        if (has_links_ && file.symlink.empty() && file.path.size() == depth)
            file_nodes_.try_emplace(Key{item.directory, last_element(file)}, index);
    }
    tree_.nodes_.push_back(node);
}

void TorrentTreeBuilder::resolve_links() {
    for (Index node = 0; node < tree_.nodes_.size(); ++node) {
        if (tree_.nodes_[node].kind != TorrentTree::Kind::empty) continue;
        Index target = 0;
        if (!target_of(node, target)) continue;
        tree_.nodes_[node].kind = TorrentTree::Kind::link;
        tree_.nodes_[node].first_child = target;
    }
}

// Only real directories and files are looked at, so that no link is ever part of a target, nor ".." or an absolute
// path.
bool TorrentTreeBuilder::target_of(Index link, Index& target) const {
    auto const& elements = files_[tree_.nodes_[link].file].symlink;
    std::uint32_t directory = 0;
    for (std::size_t i = 0; i < elements.size(); ++i) {
        std::string_view const element = elements[i];
        if (element.empty() || element == "." || element == "..") return false;
        auto const below = directory_ids_.find({directory, element});
        if (below != directory_ids_.end()) {
            directory = below->second;
            target = directories_[directory].node;
            continue;
        }
        auto const file = file_nodes_.find({directory, element});
        if (file == file_nodes_.end() || i + 1 < elements.size()) return false;
        target = file->second;
        return true;
    }
    // A link to a directory it lies in would make endless paths.
    return directory != 0 && !is_above(target, link);
}

bool TorrentTreeBuilder::is_above(Index directory, Index node) const {
    while (node != TorrentTree::kRoot) {
        node = tree_.nodes_[node].parent;
        if (node == directory) return true;
    }
    return false;
}

}  // namespace rqfs::fs
