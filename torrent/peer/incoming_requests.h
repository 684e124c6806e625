#pragma once

#include "torrent/peer/peer_connection.h"
#include "torrent/units.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

namespace rqfs::torrent {

// What a peer asked of us and has not been answered: waiting in the order it came, or in the run that is being read
// from the store. Who takes a request out of here answers it, so each is answered once.
class IncomingRequests {
public:
    using Request = PeerConnection::Request;

    // Requests of one piece that follow each other without a gap: one read.
    struct Run {
        PieceIndex piece;
        ByteRange range;  // within the piece
    };

    void add(Request const& request) { waiting_.push_back(request); }
    std::optional<Request> take_oldest();
    bool take(Request const& request);
    std::vector<Request> take_if(std::function<bool(Request const&)> const& condition);

    bool any_waiting() const { return !waiting_.empty(); }
    std::size_t size() const { return waiting_.size() + reading_.size(); }

    // The longest run at the head of the queue, at most `most_bytes` but at least one request; it is now being read.
    Run start_reading(std::size_t most_bytes);
    // The next request of the run, which keeps it until taken: nothing when all of it are answered.
    std::optional<Request> next_read() const;
    void pop_read();
    std::vector<Request> take_run();

private:
    std::deque<Request> waiting_;
    std::deque<Request> reading_;
};

}  // namespace rqfs::torrent
