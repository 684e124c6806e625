#pragma once

#include "torrent/settings.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace rqfs::torrent {

// Pieces that failed their hash once, and who sent which block: the second try asks somebody else for each of them.
//
// Everybody may help with a second try, also those who are suspect because of the first: mostly few of many lied, and
// waiting for one who sends the piece alone costs a reader seconds. A piece that fails again has no such try any more.
// At most limit::kBadPieceReceipts pieces and limit::kBadBlockReceipts blocks, the oldest forgotten first. Pure; owned by
// PiecePicker.
class SecondTries {
public:
    void failed(PieceIndex piece, std::vector<PeerHandle> const& senders) {
        auto const [found, added] = senders_.try_emplace(piece);
        if (!added) {
            found->second.clear();
            return;
        }
        for (std::uint32_t block = 0; block < senders.size(); ++block)
            found->second.emplace(BlockIndex(block), senders[block]);
        order_.push_back(piece);
        while (order_.size() > 1 && (order_.size() > limit::kBadPieceReceipts || blocks() > limit::kBadBlockReceipts))
            passed(order_.front());
    }

    // Somebody sent this block, but another one than those before: a third shall be asked.
    void disputed(BlockAddress block, PeerHandle sender) {
        if (is_one(block.piece)) senders_[block.piece].emplace(block.block, sender);
    }

    void passed(PieceIndex const piece) {
        if (senders_.erase(piece) > 0) std::erase(order_, piece);
    }

    bool known(PieceIndex piece) const { return senders_.contains(piece); }  // it failed, once or again

    // Whether the piece is fetched for the second time.
    bool is_one(PieceIndex piece) const {
        auto const found = senders_.find(piece);
        return found != senders_.end() && !found->second.empty();
    }

    // Whether the piece is fetched for the second time, and this peer has sent the block already.
    bool sent(BlockAddress block, PeerHandle peer) const {
        auto const found = senders_.find(block.piece);
        return found != senders_.end() && found->second.contains({block.block, peer});
    }

    std::deque<PieceIndex> const& pieces() const { return order_; }  // that failed, once or again

private:
    std::size_t blocks() const {
        std::size_t count = 0;
        for (auto const& [piece, senders] : senders_) count += senders.size();
        return count;
    }

    std::map<PieceIndex, std::set<std::pair<BlockIndex, PeerHandle>>> senders_;  // none: it failed again
    std::deque<PieceIndex> order_;                                               // by first failure
};

}  // namespace rqfs::torrent
