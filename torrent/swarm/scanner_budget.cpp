#include "torrent/swarm/scanner_budget.h"

#include <algorithm>

namespace rqfs::torrent {

bool ScannerBudget::take(FileIndex file, PieceIndex piece, std::uint32_t piece_bytes, std::uint64_t budget_bytes) {
    if (budget_bytes == 0) return true;
    auto& pieces = taken_[file];
    if (pieces.contains(piece)) return true;
    auto const most = std::max<std::uint64_t>(kLeastPieces, budget_bytes / std::max(piece_bytes, 1u));
    if (pieces.size() >= most) return false;
    pieces.insert(piece);
    return true;
}

}  // namespace rqfs::torrent
