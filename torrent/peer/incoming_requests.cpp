#include "torrent/peer/incoming_requests.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace rqfs::torrent {

namespace {

using Request = IncomingRequests::Request;

bool erase_first(std::deque<Request>& from, Request const& request) {
    auto const found = std::find(from.begin(), from.end(), request);
    if (found == from.end()) return false;
    from.erase(found);
    return true;
}

}  // namespace

std::optional<Request> IncomingRequests::take_oldest() {
    if (waiting_.empty()) return std::nullopt;
    auto const oldest = waiting_.front();
    waiting_.pop_front();
    return oldest;
}

bool IncomingRequests::take(Request const& request) {
    return erase_first(waiting_, request) || erase_first(reading_, request);
}

std::vector<Request> IncomingRequests::take_if(std::function<bool(Request const&)> const& condition) {
    std::vector<Request> taken;
    auto const take_one = [&](Request const& request) {
        if (!condition(request)) return false;
        taken.push_back(request);
        return true;
    };
    std::erase_if(reading_, take_one);
    std::erase_if(waiting_, take_one);
    return taken;
}

IncomingRequests::Run IncomingRequests::start_reading(std::size_t most_bytes) {
    assert(!waiting_.empty() && reading_.empty());
    auto const& first = waiting_.front();
    Run run{first.piece, {first.begin, std::uint64_t{first.begin} + first.length}};
    reading_.push_back(first);
    waiting_.pop_front();
    while (!waiting_.empty()) {
        auto const& next = waiting_.front();
        if (next.piece != run.piece || next.begin != run.range.end || run.range.size() + next.length > most_bytes)
            break;
        run.range.end += next.length;
        reading_.push_back(next);
        waiting_.pop_front();
    }
    return run;
}

std::optional<Request> IncomingRequests::next_read() const {
    if (reading_.empty()) return std::nullopt;
    return reading_.front();
}

void IncomingRequests::pop_read() {
    assert(!reading_.empty());
    reading_.pop_front();
}

std::vector<Request> IncomingRequests::take_run() {
    std::vector<Request> taken(reading_.begin(), reading_.end());
    reading_.clear();
    return taken;
}

}  // namespace rqfs::torrent
