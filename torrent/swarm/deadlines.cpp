#include "torrent/swarm/deadlines.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace rqfs::torrent {

void Deadlines::set(ReaderId reader, std::vector<Wish> wishes) {
    if (wishes.empty())
        readers_.erase(reader);
    else
        readers_[reader] = std::move(wishes);
}

void Deadlines::drop(ReaderId reader) { readers_.erase(reader); }

void Deadlines::fulfilled(PieceIndex piece) {
    for (auto reader = readers_.begin(); reader != readers_.end();) {
        std::erase_if(reader->second, [piece](Wish const& wish) { return wish.piece == piece; });
        reader = reader->second.empty() ? readers_.erase(reader) : std::next(reader);
    }
}

std::vector<Wish> Deadlines::merged() const {
    std::vector<Wish> all;
    for (auto const& [reader, wishes] : readers_) all.insert(all.end(), wishes.begin(), wishes.end());
    std::ranges::sort(all, {}, &Wish::piece);
    std::size_t kept = 0;
    for (Wish const& wish : all) {
        if (kept > 0 && all[kept - 1].piece == wish.piece) {
            all[kept - 1].deadline = std::min(all[kept - 1].deadline, wish.deadline);
            all[kept - 1].urgency = std::min(all[kept - 1].urgency, wish.urgency);
            all[kept - 1].index = all[kept - 1].index && wish.index;
        } else {
            all[kept++] = wish;
        }
    }
    all.resize(kept);
    std::ranges::sort(all, {}, [](Wish const& wish) { return std::tuple(wish.urgency, wish.deadline, wish.piece); });
    return all;
}

std::vector<PieceIndex> Deadlines::copiers_wait() const {
    std::vector<PieceIndex> pieces;
    for (auto const& [reader, wishes] : readers_)
        for (Wish const& wish : wishes)
            if (wish.urgency == Urgency::blocked_copier) pieces.push_back(wish.piece);
    return pieces;
}

}  // namespace rqfs::torrent
