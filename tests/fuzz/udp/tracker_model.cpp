#include "tests/fuzz/udp/tracker_model.h"

#include "tests/fuzz/require.h"
#include "torrent/net/placeholder_address.h"
#include "torrent/settings.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>

namespace rqfs::tests {

using namespace torrent;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kProtocol = 0x41727101980;  // BEP 15
constexpr std::size_t kDatagramsACall = 8;
constexpr Duration kShortestWait = 3s;  // for an answer, while somebody waits
constexpr Duration kLongestWait = 30s;

std::span<std::byte const> span_of(std::string const& bytes) { return std::as_bytes(std::span(bytes)); }

// Of 4 or 8 bytes, big-endian.
std::uint64_t number(std::string const& bytes, std::size_t at, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes.at(at + i));
    return value;
}

// A request's bytes; announcements are longer by what the tracker's URL has behind its name.
std::size_t least_bytes(UdpAction action) {
    if (action == UdpAction::connect) return 16;
    return action == UdpAction::announce ? 98 : 36;
}

}  // namespace

void TrackerModel::call_begins(Trackers const& trackers) {
    for (auto const& each : trackers) {
        ++places_[each].calls;
        places_[each].datagrams += kDatagramsACall;
    }
}

void TrackerModel::call_ends(Trackers const& trackers) {
    for (auto const& each : trackers) --places_[each].calls;
    for (auto& each : asked_)
        if (std::count(trackers.begin(), trackers.end(), each.to) > 0) each.over = true;
}

void TrackerModel::leaves(Endpoint const& to, std::string const& bytes, TimePoint now) {
    auto& there = places_[to];
    require(there.calls > 0, "only trackers that somebody asks hear of us");
    require(there.datagrams > 0, "a request ends, whatever the tracker answers");
    --there.datagrams;
    require(bytes.size() >= 16, "a request has a head");
    auto const connection = number(bytes, 0, 8);
    auto const action = static_cast<UdpAction>(number(bytes, 8, 4));
    require(action <= UdpAction::scrape && bytes.size() >= least_bytes(action), "trackers can read what we send");
    auto const transaction = static_cast<std::uint32_t>(number(bytes, 12, 4));
    if (action == UdpAction::connect) {
        require(connection == kProtocol, "whoever connects says the protocol's number");
    } else {
        auto const given = connections_.find({to, connection});
        require(given != connections_.end(), "a tracker hears of no connection but its own");
        require(now - given->second < limit::kUdpConnectionId, "old connections are not used");
    }
    require(
        std::none_of(asked_.begin(), asked_.end(), [&](auto const& each) { return each.transaction == transaction; }),
        "no two requests that wait have one transaction");
    asked_.push_back({to, action, transaction, now});
}

TrackerModel::Asked* TrackerModel::fitting(Endpoint const& from, std::string const& bytes) {
    auto const head = parse_udp_head(span_of(bytes));
    if (!head) return nullptr;
    auto const found = std::find_if(asked_.begin(), asked_.end(), [&](Asked const& each) {
        bool const action = head->action == static_cast<std::uint32_t>(each.action) ||
                            head->action == static_cast<std::uint32_t>(UdpAction::error);
        return action && each.transaction == head->transaction && may_answer_for(from, each.to);
    });
    return found == asked_.end() ? nullptr : &*found;
}

void TrackerModel::came(Endpoint const& from, std::string const& bytes, bool taken, TimePoint now) {
    auto* const asked = fitting(from, bytes);
    if (!taken) {
        bool const waits = asked && !asked->answered && !asked->over && now - asked->sent < kShortestWait;
        require(!waits, "what a tracker answers reaches who asked it");
        return;
    }
    require(asked && now - asked->sent <= kLongestWait, "of trackers only answers are taken");
    if (asked->answered) return;
    asked->answered = true;
    auto const action = parse_udp_head(span_of(bytes))->action;
    auto const connection = parse_udp_connect(span_of(bytes));
    if (action == static_cast<std::uint32_t>(UdpAction::connect) && connection)
        connections_[{asked->to, *connection}] = now;
    if (action == static_cast<std::uint32_t>(UdpAction::announce)) announced_.insert(from.address);
}

void TrackerModel::settled(TimePoint now) {
    std::erase_if(asked_, [&](Asked const& each) { return each.answered || now - each.sent > kLongestWait; });
}

}  // namespace rqfs::tests
