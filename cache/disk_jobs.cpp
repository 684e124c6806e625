#include "cache/disk_jobs.h"

#include "cache/block_checksums.h"
#include "cache/settings.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <new>
#include <span>
#include <system_error>
#include <utility>

namespace rqfs::cache {

using torrent::PieceIndex;
using torrent::SharedBytes;

namespace {

DiskFailure failure_of(std::system_error const& error) { return {error.code().value(), error.what()}; }

void ensure_open(FileRef& file, StoreFile::Mode mode) {
    if (file.file == nullptr) file.file = StoreFile::open(file.path, mode);
}

bool too_little_left(StoreFile const& file, std::size_t bytes, Reserve const& reserve) {
    auto const space = file.space();
    return space.total_bytes != 0 && space.free_bytes < reserve.of(space) + bytes;
}

// A multiple of the block's size, so that checksums come out whole.
constexpr std::size_t kHashReadBytes = 1u << 20;

std::optional<std::vector<std::uint32_t>> hash_one(StoreFile& file, HashItem const& item, std::span<std::byte> buffer) {
    torrent::Sha1 hash;
    std::vector<std::uint32_t> checksums;
    for (auto at = item.range.begin; at < item.range.end;) {
        auto const part = buffer.first(std::min<std::size_t>(buffer.size(), item.range.end - at));
        if (file.read(at, part) != part.size()) return std::nullopt;
        hash.update(part);
        auto const blocks = block_checksums(part);
        checksums.insert(checksums.end(), blocks.begin(), blocks.end());
        at += part.size();
    }
    if (hash.finish() != item.hash) return std::nullopt;
    return checksums;
}

}  // namespace

bool DiskFailure::full() const { return code == ENOSPC || code == EDQUOT; }

std::uint64_t Reserve::of(torrent::DiskSpace const& space) const {
    return std::min(std::max(bytes, space.total_bytes / 100 * percent), space.total_bytes / kSmallDiskReserveDivisor);
}

WriteOutcome write_pieces(FileRef file, std::vector<WriteItem> items, Reserve reserve) {
    WriteOutcome outcome;
    try {
        ensure_open(file, StoreFile::Mode::create);
        outcome.file = file.file;
        for (auto const& item : items) {
            if (too_little_left(*file.file, item.bytes.size(), reserve))
                throw std::system_error(ENOSPC, std::generic_category(), "cannot write " + file.path);
            file.file->write(item.offset, item.bytes.bytes());
            outcome.checksums.push_back(block_checksums(item.bytes.bytes()));
            file.file->start_write_back({item.offset, item.offset + item.bytes.size()});
        }
    } catch (std::system_error const& e) {
        outcome.failure = failure_of(e);
    } catch (std::bad_alloc const&) {
        outcome.failure = {ENOMEM, "out of memory"};
    }
    return outcome;
}

DiskFailure sync_file(std::shared_ptr<StoreFile> file) {
    try {
        file->sync();
        if (file->removed()) throw std::system_error(ENOENT, std::generic_category(), file->path() + " was removed");
        return {};
    } catch (std::system_error const& e) {
        return failure_of(e);
    }
}

ReadOutcome read_blocks(FileRef file, std::uint64_t offset, std::uint64_t bytes, std::vector<std::uint32_t> checksums) {
    ReadOutcome outcome;
    try {
        ensure_open(file, StoreFile::Mode::existing);
        outcome.file = file.file;
        auto const memory = std::make_shared_for_overwrite<std::byte[]>(bytes);
        std::span<std::byte> const buffer(memory.get(), bytes);
        if (file.file->read(offset, buffer) != bytes) {
            outcome.damaged = true;
            outcome.failure = {EIO, file.path + " ends too early"};
        } else if (block_checksums(buffer) != checksums) {
            outcome.damaged = true;
            outcome.failure = {EIO, file.path + " holds other bytes than were written"};
        } else {
            outcome.bytes = SharedBytes(memory, buffer);
        }
    } catch (std::system_error const& e) {
        outcome.failure = failure_of(e);
        // Too many open files or too little memory say nothing about the data.
        outcome.damaged = outcome.failure.code == EIO || outcome.failure.code == ENOENT || outcome.failure.code == EBADMSG;
    } catch (std::bad_alloc const&) {
        outcome.failure = {ENOMEM, "out of memory"};
    }
    return outcome;
}

HashOutcome hash_pieces(FileRef file, std::vector<HashItem> items) {
    HashOutcome outcome;
    outcome.checksums.resize(items.size());
    std::uint64_t largest = 0;
    for (auto const& item : items) largest = std::max(largest, item.range.size());
    auto const size = std::min<std::size_t>(largest, kHashReadBytes);
    auto const buffer = std::make_unique_for_overwrite<std::byte[]>(size);
    for (std::size_t i = 0; i < items.size(); ++i) {
        try {
            ensure_open(file, StoreFile::Mode::existing);
            outcome.checksums[i] = hash_one(*file.file, items[i], std::span<std::byte>(buffer.get(), size));
        } catch (std::system_error const&) {
            // A piece that cannot be read is a piece that does not match.
        }
    }
    outcome.file = file.file;
    return outcome;
}

ScanOutcome scan_data(FileRef file, std::uint64_t total_bytes, std::uint32_t piece_bytes, std::uint32_t pieces) {
    ScanOutcome outcome;
    outcome.data = torrent::Bitfield(pieces);
    try {
        ensure_open(file, StoreFile::Mode::existing);
        outcome.file = file.file;
        for (auto const& range : file.file->data()) {
            auto const first = (range.begin + piece_bytes - 1) / piece_bytes;
            for (auto i = first; i < pieces; ++i) {
                if (std::min((i + 1) * piece_bytes, total_bytes) > range.end) break;
                outcome.data.set(PieceIndex(static_cast<std::uint32_t>(i)));
            }
        }
    } catch (std::system_error const&) {
        // No file, or one that cannot be examined: nothing to find.
    }
    return outcome;
}

}  // namespace rqfs::cache
