#pragma once

#include "torrent/units.h"

#include <cstdint>
#include <map>
#include <set>

namespace rqfs::torrent {

// The pieces that programs which look into every file may have fetched of each, so that opening a folder does not fetch what is in it.
//
// Of one torrent, for all its scanners together and as long as it is there: a file is looked at again and again, and what was fetched
// once is there. Pure; at most one entry a piece. Owned by Readers.
class ScannerBudget {
public:
    // Whether the piece, which is missing, may be fetched for a scanner of the file; if so it is counted, once. 0: no limit.
    bool take(FileIndex file, PieceIndex piece, std::uint32_t piece_bytes, std::uint64_t budget_bytes);

    // Head and tail, and one more each where a piece ends just there: less would never show a thumbnail.
    static constexpr std::size_t kLeastPieces = 4;

private:
    std::map<FileIndex, std::set<PieceIndex>> taken_;
};

}  // namespace rqfs::torrent
