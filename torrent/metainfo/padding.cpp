#include "torrent/metainfo/padding.h"

#include <map>

namespace rqfs::torrent {

std::vector<BlockAddress> padding_blocks(Metainfo const& metainfo) {
    auto const& layout = metainfo.pieces();
    std::map<PieceIndex, std::vector<BlockAddress>> by_piece;
    for (FileIndex file; file.value() < metainfo.files().size(); ++file) {
        if (!metainfo.files()[file.value()].pad) continue;
        auto const pad = metainfo.file_layout().range(file);
        auto const pieces = layout.pieces(pad);
        for (auto piece = pieces.first; piece != pieces.end; ++piece)
            for (BlockIndex index; index.value() < layout.blocks(piece); ++index) {
                BlockAddress const block{piece, index};
                auto const begin = layout.begin(piece) + layout.begin(block);
                if (begin >= pad.begin && begin + layout.bytes(block) <= pad.end) by_piece[piece].push_back(block);
            }
    }
    std::vector<BlockAddress> all;
    for (auto const& [piece, blocks] : by_piece)
        if (blocks.size() < layout.blocks(piece)) all.insert(all.end(), blocks.begin(), blocks.end());
    return all;
}

}  // namespace rqfs::torrent
