#pragma once

#include "torrent/store.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rqfs::cache {

// The sparse file of one torrent: piece N lies at N times the length of a piece. Every call may block: disk lane of the workers
// only. Several threads may use one at a time. Failures are std::system_error with the errno and the file's name.
class StoreFile {
public:
    enum class Mode { existing, create };

    // A file that is made is made durable in its directory too.
    static std::shared_ptr<StoreFile> open(std::string path, Mode mode);
    StoreFile(StoreFile const&) = delete;
    StoreFile& operator=(StoreFile const&) = delete;
    ~StoreFile();

    // All of it, or an exception.
    void write(std::uint64_t offset, std::span<std::byte const> bytes);
    // How much there was before the end of the file.
    std::size_t read(std::uint64_t offset, std::span<std::byte> bytes);
    // What was written before is on the disk when it returns. After a failure the data counts as lost (Linux forgets that it was
    // dirty): a second sync() proves nothing.
    void sync();
    // Lets the kernel begin to write, so that sync() finds less to do.
    void start_write_back(torrent::ByteRange range) noexcept;

    // The parts of [0, size of the file) that are no holes, in order; all of it where the filesystem cannot tell.
    std::vector<torrent::ByteRange> data();
    // Somebody removed the file: what is written to it is gone when it is closed.
    bool removed() const;
    torrent::DiskSpace space() const;

    std::string const& path() const { return path_; }

private:
    StoreFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

    std::string path_;
    int descriptor_;
};

// The directory of the store, made if need be (mode 0700) and locked as long as this lives: two daemons never share one.
class StoreDirectory {
public:
    // Throws Errc::busy when another process still holds it after kLockWait, Errc::io with a sentence when it cannot be made. Blocks.
    explicit StoreDirectory(std::string path);
    StoreDirectory(StoreDirectory const&) = delete;
    StoreDirectory& operator=(StoreDirectory const&) = delete;
    ~StoreDirectory();

    std::string const& path() const { return path_; }
    std::string database() const { return path_ + "/state.db"; }
    std::string piece_file(std::string const& hex) const { return path_ + "/pieces/" + hex; }

private:
    std::string path_;
    int lock_ = -1;
};

// Of the filesystem that `path` lies on; zeros when it cannot be asked. Blocks.
torrent::DiskSpace disk_space(std::string const& path);
// No such file is no failure; others are Errc::io. Blocks.
void remove_file(std::string const& path);

}  // namespace rqfs::cache
