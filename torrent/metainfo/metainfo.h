#pragma once

#include "torrent/error.h"
#include "torrent/hash.h"
#include "torrent/info_hash.h"
#include "torrent/metainfo/file_layout.h"
#include "torrent/metainfo/piece_layout.h"
#include "torrent/units.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rqfs::torrent {

namespace bencode {
class Value;
}

// One file of a torrent as its info dictionary says it; path elements are untrusted bytes (fs/file_names makes them
// safe).
struct TorrentFile {
    std::vector<std::string> path;  // below the torrent's directory; a single-file torrent has one element, its name
    std::uint64_t bytes = 0;
    bool pad = false;         // BEP 47 attr p: zeros, hidden, never requested alone
    bool executable = false;  // attr x
    bool hidden = false;      // attr h
    // attr l: target elements from the torrent's directory, and bytes is 0; empty for all other files.
    std::vector<std::string> symlink;
};

// What a torrent is: the checked, immutable facts of its info dictionary. Shared by everyone as
// shared_ptr<Metainfo const>; any thread.
class Metainfo {
public:
    // The raw bytes of an info dictionary; errors name the field and what was expected of it.
    static Result<std::shared_ptr<Metainfo const>> parse_info(std::span<std::byte const> info);

    InfoHash const& info_hash() const { return info_hash_; }
    std::span<std::byte const> info() const { return info_; }  // raw, as hashed and as ut_metadata serves it
    std::string const& name() const { return name_; }          // untrusted bytes
    bool is_private() const { return private_; }               // BEP 27
    bool single_file() const { return single_file_; }
    std::vector<TorrentFile> const& files() const { return files_; }
    PieceLayout const& pieces() const { return pieces_; }
    FileLayout const& file_layout() const { return file_layout_; }
    std::vector<Sha1Digest> const& hashes() const { return hashes_; }

private:
    friend struct TorrentDocument;

    Metainfo() = default;
    static Result<std::shared_ptr<Metainfo const>> from_value(bencode::Value info);

    InfoHash info_hash_;
    std::vector<std::byte> info_;
    std::string name_;
    bool private_ = false;
    bool single_file_ = false;
    std::vector<TorrentFile> files_;
    PieceLayout pieces_;
    FileLayout file_layout_;
    std::vector<Sha1Digest> hashes_;
};

// A whole .torrent file: the info dictionary, which must be right, and what stands around it, of which bad parts are
// ignored.
struct TorrentDocument {
    std::shared_ptr<Metainfo const> metainfo;
    std::vector<std::vector<std::string>> trackers;  // tiers: announce-list when usable, else announce (BEP 12)
    std::vector<std::string> web_seeds;              // url-list (BEP 19), kept for later
    std::optional<std::chrono::sys_seconds> created;
    std::string comment;

    // At most limit::kTorrentFileBytes; the errors are sentences for the person who gave the file.
    static Result<TorrentDocument> parse(std::span<std::byte const> file);
};

}  // namespace rqfs::torrent
