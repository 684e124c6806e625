// Indexes of open media files, which stay in memory.
#include "torrent/download.h"
#include "torrent/readers.h"

namespace rqfs::torrent {

void Readers::keep_index(KeptIndex& index, PieceIndex piece) {
    if (!download_.have().test(piece)) return;
    auto const where = download_.metainfo().pieces().range(piece);
    for (auto const& part : index.missing(where))
        if (auto const bytes = download_.store().try_read(piece, {part.begin - where.begin, part.end - where.begin}))
            index.put(part, bytes->bytes());
}

// As read from the disk.
void Readers::keep_index(FileIndex file, PieceIndex piece, ByteRange range, SharedBytes const& bytes) {
    auto const index = kept_.find(file);
    if (index == kept_.end()) return;
    auto const begin = download_.metainfo().pieces().begin(piece) + range.begin;
    for (auto const& part : index->second.missing({begin, begin + range.size()}))
        index->second.put(part, bytes.slice(part.begin - begin, part.size()).bytes());
}

std::optional<SharedBytes> Readers::in_memory(FileIndex file, PieceIndex piece, ByteRange range) const {
    if (auto bytes = download_.store().try_read(piece, range)) return bytes;
    auto const index = kept_.find(file);
    auto const begin = download_.metainfo().pieces().begin(piece);
    return index == kept_.end() ? std::nullopt : index->second.find({begin + range.begin, begin + range.end});
}

}  // namespace rqfs::torrent
