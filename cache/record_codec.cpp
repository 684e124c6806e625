#include "cache/record_codec.h"

#include "cache/block_checksums.h"
#include "torrent/settings.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <string>
#include <utility>

namespace rqfs::cache {

using torrent::InfoHash;

namespace {

// The first byte of every row: what follows is laid out as this version does.
constexpr std::uint8_t kLayout = 1;

class Writer {
public:
    Writer() { integer(kLayout); }

    template <std::unsigned_integral T>
    void integer(T value) {
        for (std::size_t i = 0; i < sizeof(T); ++i)
            bytes_.push_back(static_cast<std::byte>((std::uint64_t{value} >> (8 * i)) & 0xff));
    }
    void size(std::size_t value) { integer(static_cast<std::uint32_t>(value)); }
    void raw(std::span<std::byte const> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    void text(std::string const& value) {
        size(value.size());
        raw(std::as_bytes(std::span(value)));
    }
    void texts(std::vector<std::string> const& values) {
        size(values.size());
        for (auto const& value : values) text(value);
    }
    void files(std::vector<torrent::FileIndex> const& values) {
        size(values.size());
        for (auto const file : values) integer(file.value());
    }

    Bytes seal(InfoHash const& info_hash) {
        Bytes signed_bytes(info_hash.bytes().begin(), info_hash.bytes().end());
        signed_bytes.insert(signed_bytes.end(), bytes_.begin(), bytes_.end());
        integer(crc32c(signed_bytes));
        return std::move(bytes_);
    }

private:
    Bytes bytes_;
};

// Once something is missing every answer is empty and ok() is false.
class Reader {
public:
    Reader(InfoHash const& info_hash, std::span<std::byte const> row) : rest_(row) {
        if (row.size() < 5) {
            refuse();
            return;
        }
        rest_ = row.last(4);
        auto const sum = integer<std::uint32_t>();
        rest_ = row.first(row.size() - 4);
        Bytes signed_bytes(info_hash.bytes().begin(), info_hash.bytes().end());
        signed_bytes.insert(signed_bytes.end(), rest_.begin(), rest_.end());
        if (sum != crc32c(signed_bytes) || integer<std::uint8_t>() != kLayout) refuse();
    }

    template <std::unsigned_integral T>
    T integer() {
        std::uint64_t value = 0;
        auto const bytes = raw(sizeof(T));
        for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
        return static_cast<T>(value);
    }
    std::span<std::byte const> raw(std::size_t size) {
        if (size > rest_.size()) {
            refuse();
            return {};
        }
        auto const bytes = rest_.first(size);
        rest_ = rest_.subspan(size);
        return bytes;
    }
    // Of a list whose elements take at least `least` bytes each.
    std::size_t size(std::size_t least) {
        std::size_t const value = integer<std::uint32_t>();
        if (value > rest_.size() / least) {
            refuse();
            return 0;
        }
        return value;
    }
    std::string text() {
        auto const bytes = raw(size(1));
        return std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    }
    std::vector<std::string> texts() {
        std::vector<std::string> values(size(4));
        for (auto& value : values) value = text();
        return values;
    }
    std::vector<torrent::FileIndex> files() {
        std::vector<torrent::FileIndex> values(size(4));
        for (auto& file : values) file = torrent::FileIndex(integer<std::uint32_t>());
        return values;
    }
    std::size_t left() const { return rest_.size(); }
    bool ok() const { return ok_; }
    bool complete() const { return ok_ && rest_.empty(); }

private:
    void refuse() {
        ok_ = false;
        rest_ = {};
    }

    std::span<std::byte const> rest_;
    bool ok_ = true;
};

std::uint64_t seconds_of(std::chrono::sys_seconds time) { return static_cast<std::uint64_t>(time.time_since_epoch().count()); }

std::chrono::sys_seconds time_of(std::uint64_t seconds) {
    return std::chrono::sys_seconds(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

enum Flags : std::uint8_t { kPaused = 1, kDownload = 2, kCompleted = 4, kCreated = 8 };

std::uint8_t flags_of(torrent::TorrentRecord const& record) {
    return static_cast<std::uint8_t>((record.paused ? kPaused : 0) | (record.download ? kDownload : 0) |
                                     (record.completed_announced ? kCompleted : 0) | (record.created ? kCreated : 0));
}

}  // namespace

Bytes encode_torrent(torrent::TorrentRecord const& record) {
    Writer out;
    out.integer(flags_of(record));
    out.integer(seconds_of(record.added));
    out.integer(record.created ? seconds_of(*record.created) : std::uint64_t{0});
    out.integer(record.downloaded_bytes);
    out.integer(record.uploaded_bytes);
    out.text(record.display_name);
    out.text(record.directory);
    out.size(record.trackers.size());
    for (auto const& tier : record.trackers) out.texts(tier);
    out.texts(record.web_seeds);
    out.texts(record.user_peers);
    out.files(record.wanted_files);
    out.files(record.selected_files);
    // Rows of older versions end here, and those of most torrents do.
    if (!record.magnet_peers.empty() || !record.user_trackers.empty()) out.texts(record.magnet_peers);
    if (!record.user_trackers.empty()) out.texts(record.user_trackers);
    return out.seal(record.info_hash);
}

std::optional<torrent::TorrentRecord> decode_torrent(InfoHash const& info_hash, std::span<std::byte const> row) {
    Reader in(info_hash, row);
    torrent::TorrentRecord record;
    record.info_hash = info_hash;
    auto const flags = in.integer<std::uint8_t>();
    record.paused = (flags & kPaused) != 0;
    record.download = (flags & kDownload) != 0;
    record.completed_announced = (flags & kCompleted) != 0;
    record.added = time_of(in.integer<std::uint64_t>());
    auto const created = in.integer<std::uint64_t>();
    if ((flags & kCreated) != 0) record.created = time_of(created);
    record.downloaded_bytes = in.integer<std::uint64_t>();
    record.uploaded_bytes = in.integer<std::uint64_t>();
    record.display_name = in.text();
    record.directory = in.text();
    record.trackers.resize(in.size(4));
    for (auto& tier : record.trackers) tier = in.texts();
    record.web_seeds = in.texts();
    record.user_peers = in.texts();
    record.wanted_files = in.files();
    record.selected_files = in.files();
    if (in.ok() && in.left() > 0) record.magnet_peers = in.texts();
    if (in.ok() && in.left() > 0) record.user_trackers = in.texts();
    if (!in.complete()) return std::nullopt;
    return record;
}

Bytes encode_pieces(InfoHash const& info_hash, StoredPieces const& pieces) {
    Writer out;
    out.integer(pieces.total_bytes);
    out.integer(pieces.piece_bytes);
    out.integer(pieces.recorded.size());
    out.raw(pieces.recorded.bytes());
    return out.seal(info_hash);
}

std::optional<StoredPieces> decode_pieces(InfoHash const& info_hash, std::span<std::byte const> row) {
    Reader in(info_hash, row);
    StoredPieces pieces;
    pieces.total_bytes = in.integer<std::uint64_t>();
    pieces.piece_bytes = in.integer<std::uint32_t>();
    auto const count = in.integer<std::uint32_t>();
    if (!in.ok() || count > torrent::limit::kPieces) return std::nullopt;
    auto bitfield = torrent::Bitfield::parse(in.raw(in.left()), count);
    if (!bitfield) return std::nullopt;
    pieces.recorded = std::move(*bitfield);
    return pieces;
}

Bytes encode_checksums(InfoHash const& info_hash, torrent::PieceIndex piece, std::span<std::uint32_t const> checksums) {
    Writer out;
    out.integer(piece.value());
    for (auto const checksum : checksums) out.integer(checksum);
    return out.seal(info_hash);
}

std::optional<std::vector<std::uint32_t>> decode_checksums(InfoHash const& info_hash, torrent::PieceIndex piece,
                                                           std::span<std::byte const> row) {
    Reader in(info_hash, row);
    if (in.integer<std::uint32_t>() != piece.value() || in.left() % 4 != 0) return std::nullopt;
    std::vector<std::uint32_t> checksums(in.left() / 4);
    for (auto& checksum : checksums) checksum = in.integer<std::uint32_t>();
    if (!in.complete()) return std::nullopt;
    return checksums;
}

Bytes encode_peers(InfoHash const& info_hash, std::span<torrent::Endpoint const> peers) {
    Writer out;
    out.size(peers.size());
    for (auto const& peer : peers) {
        auto const address = peer.address.bytes();
        out.integer(static_cast<std::uint8_t>(address.size()));
        out.raw(std::as_bytes(address));
        out.integer(peer.port);
    }
    return out.seal(info_hash);
}

std::optional<std::vector<torrent::Endpoint>> decode_peers(InfoHash const& info_hash, std::span<std::byte const> row) {
    Reader in(info_hash, row);
    std::vector<torrent::Endpoint> peers(in.size(7));
    for (auto& peer : peers) {
        auto const address = torrent::Address::from_bytes(in.raw(in.integer<std::uint8_t>()));
        if (!address) return std::nullopt;
        peer.address = *address;
        peer.port = in.integer<std::uint16_t>();
    }
    if (!in.complete()) return std::nullopt;
    return peers;
}

Bytes encode_dht(std::span<std::byte const> state) {
    Writer out;
    out.size(state.size());
    out.raw(state);
    return out.seal(InfoHash());
}

std::optional<Bytes> decode_dht(std::span<std::byte const> row) {
    Reader in(InfoHash(), row);
    auto const state = in.raw(in.size(1));
    if (!in.complete()) return std::nullopt;
    return Bytes(state.begin(), state.end());
}

}  // namespace rqfs::cache
