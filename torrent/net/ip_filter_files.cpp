#include "torrent/net/ip_filter_files.h"

#include "torrent/limits.h"
#include "torrent/net/ip_filter_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace rqfs::torrent {

namespace {

FileStamp stamp_of(struct stat const& status) {
    FileStamp stamp;
    stamp.device = status.st_dev;
    stamp.inode = status.st_ino;
    stamp.bytes = status.st_size;
    stamp.changed_nanoseconds = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    return stamp;
}

// An open file; zlib reads one that is not compressed as it is.
class ListFile {
public:
    explicit ListFile(std::string const& file)
        : descriptor_(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
    }  // a pipe does not hold us up
    ListFile(ListFile const&) = delete;
    ListFile& operator=(ListFile const&) = delete;
    ~ListFile() {
        if (stream_ != nullptr)
            gzclose_r(stream_);
        else if (descriptor_ >= 0)
            close(descriptor_);
    }

    bool is_open() const { return descriptor_ >= 0; }
    bool stat(struct stat& status) const { return fstat(descriptor_, &status) == 0; }
    bool begin() {
        stream_ = gzdopen(descriptor_, "rb");
        return stream_ != nullptr;
    }
    // Empty at the end, nothing when the rest cannot be read.
    std::optional<std::string_view> read() {
        auto const count = gzread(stream_, buffer_.data(), static_cast<unsigned>(buffer_.size()));
        int failure = Z_OK;
        gzerror(stream_, &failure);
        cut_off_ = failure == Z_DATA_ERROR || failure == Z_BUF_ERROR;
        if (count < 0) return std::nullopt;
        if (count == 0 && failure != Z_OK && failure != Z_STREAM_END) return std::nullopt;  // gzip that is cut off
        return std::string_view(buffer_.data(), static_cast<std::size_t>(count));
    }

    // After read() gave nothing: for what the file holds, not because the system could not.
    bool cut_off() const { return cut_off_; }

private:
    int descriptor_ = -1;
    gzFile stream_ = nullptr;
    bool cut_off_ = false;
    std::array<char, 64u << 10> buffer_{};
};

Error unreadable(std::string const& file, std::string const& why, Errc code = Errc::io) {
    return error(code, "the IP filter " + file + " cannot be taken: " + why);
}

// What the system may do in a moment though the file stays as it is.
bool passes(int system_error) {
    constexpr std::array passing{EMFILE, ENFILE, ENOMEM, ENOBUFS, EIO, EINTR, EAGAIN, ESTALE, ETIMEDOUT};
    return std::find(passing.begin(), passing.end(), system_error) != passing.end();
}

Error refused(std::string const& file, int system_error) {
    auto const code = system_error == ENOENT ? Errc::not_found : passes(system_error) ? Errc::busy : Errc::io;
    return unreadable(file, std::strerror(system_error), code);
}

// Reads the whole file into `text`.
Result<void> read_all(ListFile& list, std::string const& file, IpFilterText& text) {
    std::size_t bytes = 0;
    for (;;) {
        auto const piece = list.read();
        if (!piece)
            return unreadable(file, "it cannot be read to its end", list.cut_off() ? Errc::malformed : Errc::busy);
        bytes += piece->size();
        if (bytes > limit::kIpFilterBytes)
            return unreadable(file, "it is over " + std::to_string(limit::kIpFilterBytes >> 20) + " MiB",
                              Errc::too_large);
        if (!(piece->empty() ? text.end() : text.feed(*piece)))
            return unreadable(file, "there are over " + std::to_string(limit::kIpFilterRanges) + " ranges",
                              Errc::too_large);
        if (piece->empty()) return {};
    }
}

// Adds one file to what is being loaded.
Result<void> load_file(std::string const& file, IpFilter::Builder& ranges, LoadedIpFilter& loaded) {
    auto const list = std::make_unique<ListFile>(file);  // its buffer is large
    if (!list->is_open()) return refused(file, errno);
    struct stat before {};
    if (!list->stat(before)) return refused(file, errno);
    if (!S_ISREG(before.st_mode)) return unreadable(file, "it is no regular file");
    if (!list->begin()) return unreadable(file, "there is no memory for it", Errc::busy);
    IpFilterText text(file, ranges);
    if (auto const read = read_all(*list, file, text); !read) return read;
    struct stat after {};
    if (!list->stat(after) || stamp_of(after) != stamp_of(before))
        return unreadable(file, "it is being written", Errc::busy);
    if (text.good_lines() == 0 && text.bad_lines() > 0)
        return unreadable(file, "it is no list; " + text.first_bad(), Errc::malformed);
    loaded.stamps.emplace_back(stamp_of(before));
    loaded.bad_lines += text.bad_lines();
    if (loaded.first_bad.empty()) loaded.first_bad = text.first_bad();
    return {};
}

}  // namespace

FileStamps stamps_of(std::vector<std::string> const& files) {
    FileStamps stamps;
    for (auto const& file : files) {
        struct stat status {};
        stamps.push_back(stat(file.c_str(), &status) == 0 ? std::optional(stamp_of(status)) : std::nullopt);
    }
    return stamps;
}

Result<LoadedIpFilter> load_ip_filter(std::vector<std::string> const& files) {
    LoadedIpFilter loaded;
    IpFilter::Builder ranges;
    for (auto const& file : files)
        if (auto const added = load_file(file, ranges, loaded); !added) return added.error();
    loaded.filter = std::make_shared<IpFilter const>(std::move(ranges).build());
    return loaded;
}

}  // namespace rqfs::torrent
