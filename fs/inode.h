#pragma once

#include <cstdint>

namespace rqfs::fs {

// The number of a node in the mount, as the kernel sees it. It is computed, not given out: the torrent's number in bits
// 32 to 62, the node of its TorrentTree in bits 0 to 31, and bit 63 for a directory reached through the torrent's
// 40-hex name, because a directory can stand in one place only for the kernel. Files have one number under both names,
// and so one page cache.
using Inode = std::uint64_t;

inline constexpr Inode kRootInode = 1;  // FUSE_ROOT_ID; no torrent has number 0
inline constexpr Inode kAliasBit = Inode{1} << 63;
inline constexpr std::uint32_t kTorrentNumbers = 1u << 31;

constexpr Inode make_inode(std::uint32_t torrent, std::uint32_t node) { return (Inode{torrent} << 32) | node; }
constexpr std::uint32_t torrent_number(Inode inode) { return static_cast<std::uint32_t>((inode & ~kAliasBit) >> 32); }
constexpr std::uint32_t node_number(Inode inode) { return static_cast<std::uint32_t>(inode & 0xFFFF'FFFFu); }
constexpr Inode alias_bit(Inode inode) { return inode & kAliasBit; }

}  // namespace rqfs::fs
