#pragma once

#include "fs/media_scan.h"
#include "torrent/media_hints.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace rqfs::fs {

// Where a file keeps its index, and how long its film is: found in its own bytes, a few at a time, as they happen to be
// there. Pure.
//
// mp4 and mov (`moov` wherever it lies, `sidx`, `mfra`), Matroska and WebM (SeekHead and what it names), AVI (`idx1`,
// OpenDML), ZIP (central directory), ISO 9660 and UDF images. What the file is, its first bytes say; its name only
// tells of ZIP and ISO, whose signs lie elsewhere. Bytes are a stranger's: they cost at most what fs/settings.h allows.
class MediaIndex {
public:
    // `name` is only read here.
    MediaIndex(std::uint64_t file_bytes, std::string_view name);
    MediaIndex(MediaIndex const&) = delete;
    MediaIndex& operator=(MediaIndex const&) = delete;

    // The range of the file it must see to go on, at most kMediaStepBytes; nothing: there is no more to be found.
    std::optional<torrent::ByteRange> next() const { return scan_.wanted(); }
    // Exactly the bytes of next(); they are not kept.
    void feed(std::span<std::byte const> bytes);

    // So far; what next() names is among the ranges once the container is known.
    torrent::MediaHints hints() const { return scan_.hints(); }

private:
    MediaScan scan_;
    MediaWalk walk_;
};

}  // namespace rqfs::fs
