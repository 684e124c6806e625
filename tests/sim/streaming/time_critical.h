#pragma once

#include "tests/sim/streaming/in_order.h"

#include <cstdint>
#include <map>
#include <vector>

namespace rqfs::tests {

// libtorrent's pass over pieces with deadlines, once a second, before its requests in order: the peers with the least
// queue first, second requests when a piece takes longer than pieces took before. The player sets deadlines for 16 MiB
// and knows its bit rate; the pass takes queue times a thousandth too short, as the program does.
class TimeCritical final : public InOrder {
public:
    using InOrder::InOrder;

protected:
    void tick() override;
    void jumped() override;
    void piece_done(torrent::PieceIndex piece) override;

private:
    double queue_time(Peer const& peer) const;
    std::vector<Peer*> candidates();
    bool pass(std::vector<Peer*>& candidates, torrent::PieceIndex piece);
    std::uint32_t timed_out(torrent::PieceIndex piece);

    double next_pass_ = 0;
    double average_ = 0;  // seconds a piece takes
    double deviation_ = 0;
    double mean_rate_ = 0;
    std::map<torrent::PieceIndex, double> first_asked_;
    std::map<torrent::PieceIndex, double> last_asked_;
};

}  // namespace rqfs::tests
