#include "fs/tree.h"

#include "fs/directory_name.h"
#include "fs/settings.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace rqfs::fs {

namespace {

std::vector<torrent::TorrentFile> const& files_of(torrent::Library::Entry const& entry) {
    static std::vector<torrent::TorrentFile> const none;
    return entry.metainfo ? entry.metainfo->files() : none;
}

}  // namespace

std::string const& Tree::put(Entry const& entry) {
    auto const number = number_for(entry.info_hash);
    auto const [place, is_new] = torrents_.try_emplace(number);
    Torrent& torrent = place->second;
    if (is_new) {
        torrent.number = number;
        torrent.sequence = ++last_sequence_;
        by_sequence_.emplace(torrent.sequence, number);
    } else {
        by_name_.erase(torrent.directory);
        if (torrent.entry.metainfo != entry.metainfo && torrent.layout) {
            remembered_nodes_ -= torrent.layout->size();
            torrent.layout.reset();
        }
    }
    torrent.entry = entry;
    torrent.directory = choose_directory(entry);
    by_name_.emplace(torrent.directory, number);
    return torrent.directory;
}

std::optional<std::string> Tree::remove(torrent::InfoHash const& info_hash) {
    auto const* const torrent = find(info_hash);
    if (torrent == nullptr) return std::nullopt;
    std::string directory = torrent->directory;
    if (torrent->layout) remembered_nodes_ -= torrent->layout->size();
    by_name_.erase(directory);
    by_sequence_.erase(torrent->sequence);
    torrents_.erase(torrent->number);
    return directory;
}

// The first 31 bits of the info-hash, or the next number that was never used: inodes stay the same over restarts.
std::uint32_t Tree::number_for(torrent::InfoHash const& info_hash) {
    if (auto const known = numbers_.find(info_hash); known != numbers_.end()) return known->second;
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < 4; ++i) number = (number << 8) | std::to_integer<std::uint32_t>(info_hash.bytes()[i]);
    number %= kTorrentNumbers;
    while (number == 0 || taken_numbers_.contains(number)) number = (number + 1) % kTorrentNumbers;
    taken_numbers_.emplace(number, info_hash);
    numbers_.emplace(info_hash, number);
    return number;
}

std::string Tree::choose_directory(Entry const& entry) const {
    for (auto const& name : directory_name_candidates(entry))
        if (is_free(name, entry.info_hash)) return name;
    return entry.info_hash.hex();  // nobody else may have it
}

bool Tree::is_free(std::string const& name, torrent::InfoHash const& info_hash) const {
    if (auto const hash = hash_alias(name)) return *hash == info_hash;
    return !by_name_.contains(name);
}

Tree::Torrent* Tree::find(Inode inode) {
    auto const found = torrents_.find(torrent_number(inode));
    return found == torrents_.end() ? nullptr : &found->second;
}

Tree::Torrent const* Tree::find(torrent::InfoHash const& info_hash) const {
    auto const number = numbers_.find(info_hash);
    if (number == numbers_.end()) return nullptr;
    auto const found = torrents_.find(number->second);
    return found == torrents_.end() ? nullptr : &found->second;
}

std::string const* Tree::directory(torrent::InfoHash const& info_hash) const {
    auto const* const torrent = find(info_hash);
    return torrent == nullptr ? nullptr : &torrent->directory;
}

std::optional<Inode> Tree::inode(torrent::InfoHash const& info_hash) const {
    auto const* const torrent = find(info_hash);
    if (torrent == nullptr) return std::nullopt;
    return make_inode(torrent->number, TorrentTree::kRoot);
}

Tree::Entry const* Tree::entry(torrent::InfoHash const& info_hash) const {
    auto const* const torrent = find(info_hash);
    return torrent == nullptr ? nullptr : &torrent->entry;
}

std::optional<Inode> Tree::lookup_in_root(std::string_view name) const {
    if (auto const found = by_name_.find(std::string(name)); found != by_name_.end())
        return make_inode(found->second, TorrentTree::kRoot);
    auto const hash = hash_alias(name);
    auto const* const torrent = hash ? find(*hash) : nullptr;
    if (torrent == nullptr) return std::nullopt;
    return kAliasBit | make_inode(torrent->number, TorrentTree::kRoot);
}

std::optional<Inode> Tree::lookup(Inode parent, std::string_view name) {
    if (parent == kRootInode) return lookup_in_root(name);
    auto* const torrent = find(parent);
    if (torrent == nullptr) return std::nullopt;
    auto const& layout = layout_of(*torrent);
    auto const directory = node_number(parent);
    if (!layout.contains(directory) || layout.kind(directory) != TorrentTree::Kind::directory) return std::nullopt;
    auto const found = layout.find(directory, name);
    if (!found) return std::nullopt;
    bool const is_directory = layout.kind(*found) == TorrentTree::Kind::directory;
    return (is_directory ? alias_bit(parent) : 0) | make_inode(torrent->number, *found);
}

std::optional<Node> Tree::node(Inode inode) {
    if (inode == kRootInode) return Node();
    auto* const torrent = find(inode);
    if (torrent == nullptr) return std::nullopt;
    if (node_number(inode) != TorrentTree::kRoot && !layout_of(*torrent).contains(node_number(inode)))
        return std::nullopt;
    return describe(*torrent, inode);
}

Node Tree::describe(Torrent& torrent, Inode inode) {
    Node node;
    node.inode = inode;
    node.torrent = torrent.entry.info_hash;
    node.time = torrent.entry.time;
    auto const number = node_number(inode);
    if (number == TorrentTree::kRoot) return node;  // known without a layout
    auto const& layout = layout_of(torrent);
    node.kind = layout.kind(number);
    if (node.kind == TorrentTree::Kind::link) node.bytes = layout.link_target(number).size();
    if (node.kind == TorrentTree::Kind::file) {
        auto const& file = files_of(torrent.entry)[layout.file(number).value()];
        node.file = layout.file(number);
        node.bytes = file.bytes;
        node.executable = file.executable;
    }
    return node;
}

std::optional<std::string> Tree::link_target(Inode inode) {
    auto const found = node(inode);
    if (!found || found->kind != TorrentTree::Kind::link) return std::nullopt;
    return layout_of(*find(inode)).link_target(node_number(inode));
}

std::optional<std::string> Tree::raw_name(Inode inode) {
    auto const found = node(inode);
    if (!found || !found->torrent) return std::nullopt;
    auto& torrent = *find(inode);
    auto const number = node_number(inode);
    if (number == TorrentTree::kRoot)
        return torrent.entry.metainfo ? torrent.entry.metainfo->name() : torrent.entry.display_name;
    auto const& layout = layout_of(torrent);
    auto const& path = files_of(torrent.entry)[layout.file(number).value()].path;
    return path.empty() ? std::string() : path[layout.raw_element(number)];
}

bool Tree::list_root(std::uint64_t offset, Show const& show) const {
    for (auto next = by_sequence_.upper_bound(offset); next != by_sequence_.end(); ++next) {
        auto const& torrent = torrents_.at(next->second);
        if (!show(torrent.directory, make_inode(torrent.number, TorrentTree::kRoot), torrent.sequence)) break;
    }
    return true;
}

bool Tree::list(Inode directory, std::uint64_t offset, Show const& show) {
    if (directory == kRootInode) return list_root(offset, show);
    auto* const torrent = find(directory);
    if (torrent == nullptr) return false;
    auto const& layout = layout_of(*torrent);
    auto const number = node_number(directory);
    if (!layout.contains(number) || layout.kind(number) != TorrentTree::Kind::directory) return false;
    auto const [first, end] = layout.children(number);
    for (std::uint64_t place = offset; place < end - first; ++place) {
        auto const child = static_cast<TorrentTree::Index>(first + place);
        bool const is_directory = layout.kind(child) == TorrentTree::Kind::directory;
        auto const inode = (is_directory ? alias_bit(directory) : 0) | make_inode(torrent->number, child);
        if (!show(std::string(layout.name(child)), inode, place + 1)) break;
    }
    return true;
}

std::optional<Inode> Tree::parent(Inode directory) {
    if (directory == kRootInode) return kRootInode;
    auto* const torrent = find(directory);
    if (torrent == nullptr) return std::nullopt;
    auto const number = node_number(directory);
    if (number == TorrentTree::kRoot) return kRootInode;
    auto const& layout = layout_of(*torrent);
    if (!layout.contains(number)) return std::nullopt;
    return alias_bit(directory) | make_inode(torrent->number, layout.parent(number));
}

void Tree::looked_up(Inode inode) {
    if (auto* const torrent = find(inode)) ++torrent->lookups;
}

void Tree::forget(Inode inode, std::uint64_t times) {
    if (auto* const torrent = find(inode)) torrent->lookups -= std::min(torrent->lookups, times);
}

TorrentTree const& Tree::layout_of(Torrent& torrent) {
    if (!torrent.layout) install(torrent.entry.info_hash, std::make_unique<TorrentTree const>(files_of(torrent.entry)));
    return *torrent.layout;
}

void Tree::install(torrent::InfoHash const& info_hash, std::unique_ptr<TorrentTree const> layout) {
    auto const number = numbers_.find(info_hash);
    auto const found = number == numbers_.end() ? torrents_.end() : torrents_.find(number->second);
    if (found == torrents_.end() || found->second.layout) return;
    remembered_nodes_ += layout->size();
    found->second.layout = std::move(layout);
    drop_unused_layouts(number->second);
}

void Tree::drop_unused_layouts(std::uint32_t except) {
    if (remembered_nodes_ <= limit::kRememberedNodes) return;
    for (auto& [number, torrent] : torrents_) {
        if (number == except || torrent.lookups != 0 || !torrent.layout) continue;
        remembered_nodes_ -= torrent.layout->size();
        torrent.layout.reset();
    }
}

std::shared_ptr<torrent::Metainfo const> Tree::needs_layout(Inode inode) const {
    auto const found = torrents_.find(torrent_number(inode));
    if (found == torrents_.end() || found->second.layout || !found->second.entry.metainfo) return nullptr;
    auto const& metainfo = found->second.entry.metainfo;
    return metainfo->files().size() > limit::kFilesBuiltAtOnce ? metainfo : nullptr;
}

}  // namespace rqfs::fs
