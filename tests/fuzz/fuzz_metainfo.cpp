#include "tests/fuzz/require.h"
#include "torrent/metainfo/metainfo.h"
#include "torrent/settings.h"

#include <cstddef>
#include <cstdint>
#include <span>

using namespace rqfs::torrent;
using rqfs::tests::require;

namespace {

void check(Metainfo const& torrent) {
    auto const& pieces = torrent.pieces();
    auto const& layout = torrent.file_layout();
    require(pieces.total_bytes() >= 1 && pieces.total_bytes() <= limit::kTotalBytes, "a total within the limits");
    require(pieces.pieces() <= limit::kPieces && torrent.hashes().size() == pieces.pieces(), "a hash for every piece");
    require(layout.total_bytes() == pieces.total_bytes(), "files and pieces cover the same bytes");
    require(!torrent.files().empty() && torrent.files().size() == layout.files(), "at least one file");
    require(!torrent.single_file() || torrent.files().size() == 1, "a single file is one");
    std::uint64_t covered = 0;
    for (std::uint32_t i = 0; i < layout.files(); ++i) {
        auto const& file = torrent.files()[i];
        require(layout.range(FileIndex(i)) == ByteRange{covered, covered + file.bytes}, "files follow one another");
        require(!file.path.empty() && file.path.size() <= limit::kPathDepth, "every file has a path");
        require(file.symlink.empty() || file.bytes == 0, "links hold no bytes");
        covered += file.bytes;
    }
    auto const again = Metainfo::parse_info(torrent.info());
    require(again.has_value() && (*again)->info_hash() == torrent.info_hash(),
            "the raw info alone is the same torrent");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const input = std::as_bytes(std::span(data, size));
    auto const document = TorrentDocument::parse(input);
    if (document) {
        check(*document->metainfo);
        std::size_t trackers = 0;
        for (auto const& tier : document->trackers) {
            require(!tier.empty(), "no empty tier");
            trackers += tier.size();
        }
        require(trackers <= limit::kTrackersPerTorrent, "no more trackers than the limit");
        require(document->web_seeds.size() <= limit::kWebSeedsPerTorrent, "no more web seeds than the limit");
    } else {
        require(!document.error().what.empty(), "a refusal says why");
    }
    auto const info = Metainfo::parse_info(input);
    if (info) check(**info);
    return 0;
}
