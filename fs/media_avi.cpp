#include "fs/media_scan.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace rqfs::fs {

// RIFF AVI with the OpenDML extensions: chunks, each a type, a size and content; lists hold chunks of their own. All
// numbers are little-endian.

namespace {

constexpr std::uint64_t kChunkBytes = 8;
constexpr std::uint64_t kListBytes = 12;         // a chunk whose content begins with what it lists
constexpr std::uint64_t kSuperIndexBytes = 24;   // before its entries of sixteen
constexpr std::uint64_t kMostSuperIndex = 4096;  // read of it: 254 indexes of a gigabyte each

class Avi {
public:
    explicit Avi(MediaScan& scan) : scan_(scan) {}

    static std::uint64_t content_wanted(std::string_view type, std::uint64_t size) {
        if (type == "avih") return 20;
        if (type == "dmlh") return 4;
        return type == "indx" ? std::min(size, kMostSuperIndex) : 0;
    }

    void take(std::string_view type, torrent::ByteRange chunk, MediaBytes content) {
        if (type == "avih") {
            frame_microseconds_ = content.little(0, 4);
            lasts(content.little(16, 4));
        } else if (type == "dmlh") {
            lasts(content.little(0, 4));  // of all parts; `avih` counts the first gigabyte
        } else if (type == "indx") {
            take_super_index(content);
        } else if (type == "idx1") {
            scan_.needed_first(chunk);
            scan_.index_known();
        }
    }

private:
    void lasts(std::uint64_t frames) {
        if (frames > 0 && frame_microseconds_ > 0) scan_.lasts(frames * frame_microseconds_, 1'000'000);
    }

    void take_super_index(MediaBytes content) {
        constexpr std::uint64_t kOfIndexes = 0;  // its type; 1: of the stream's own chunks
        if (content.little(3, 1) != kOfIndexes) return;
        auto const count = content.little(4, 4);
        for (std::size_t i = 0; i < count && content.holds(kSuperIndexBytes + i * 16, 16); ++i) {
            auto const begin = content.little(kSuperIndexBytes + i * 16, 8);
            auto const size = content.little(kSuperIndexBytes + i * 16 + 8, 4);
            if (begin == 0 || begin >= scan_.file_bytes()) continue;
            scan_.needed_first({begin, std::min(begin + size, scan_.file_bytes())});
            scan_.index_known();
        }
    }

    MediaScan& scan_;
    std::uint64_t frame_microseconds_ = 0;
};

bool holds_what_we_want(std::string_view list) {
    return list == "hdrl" || list == "strl" || list == "odml" || list == "AVI ";
}

}  // namespace

MediaWalk walk_avi(MediaScan& scan) {
    scan.recognized();
    Avi film(scan);
    for (std::uint64_t at = 0; at + kChunkBytes <= scan.file_bytes();) {
        MediaBytes const head = co_await scan.bytes(at, kListBytes);
        std::string const type(head.text(0, 4));
        auto const size = head.little(4, 4);
        auto const list = head.text(8, 4);
        if (type == "RIFF" && at > 0) break;  // further gigabytes, whose indexes OpenDML has named
        if ((type == "RIFF" || type == "LIST") && holds_what_we_want(list)) {
            at += kListBytes;
            continue;
        }
        auto const content_at = at + kChunkBytes;
        MediaBytes const content = co_await scan.bytes(content_at, Avi::content_wanted(type, size));
        film.take(type, torrent::ByteRange{at, content_at + size}, content);
        if (type == "idx1") break;
        at = content_at + size + size % 2;
    }
}

}  // namespace rqfs::fs
