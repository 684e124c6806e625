#include "torrent/peer/metadata_exchange.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

// The half of MetadataExchange that decides whom to ask for what.
namespace rqfs::torrent {

namespace {

using namespace std::chrono_literals;

constexpr auto kAnswer = 5s;             // a part of 16 KiB comes within this, or others are asked
constexpr auto kLongestRest = 60s;       // after timeouts, doubling from kAnswer
constexpr auto kAbandoned = 60s;         // data of a size that makes no progress is dropped: others need the memory
constexpr std::size_t kAloneAtOnce = 3;  // peers of a mistrusted size asked side by side

void earlier(std::optional<TimePoint>& next, TimePoint when) {
    if (!next || when < *next) next = when;
}

}  // namespace

std::vector<MetadataExchange::Request> MetadataExchange::next_requests(TimePoint now) {
    std::vector<Request> out;
    if (finished_) return out;
    give_up_overdue(now);
    for (auto* const assembly : with_data())
        if (now - assembly->last_progress() >= kAbandoned) release(*assembly);
    std::map<std::uint32_t, std::size_t> alone;
    for (auto const& [handle, peer] : peers_)
        if (peer.alone) ++alone[peer.claimed_bytes];
    for (auto& [handle, peer] : peers_) {
        if (peer.usable_from > now) continue;
        auto& size = sizes_.at(peer.claimed_bytes);
        if (!size.mistrusted) {
            ask(handle, peer, size.shared, false, now, out);
            continue;
        }
        if (!peer.alone) {
            if (alone[peer.claimed_bytes] >= kAloneAtOnce) continue;
            ++alone[peer.claimed_bytes];
            forget_requests(peer);
            peer.alone.emplace(peer.claimed_bytes);
        }
        ask(handle, peer, *peer.alone, true, now, out);
    }
    return out;
}

void MetadataExchange::ask(PeerHandle handle, Peer& peer, MetadataAssembly& assembly, bool alone, TimePoint now,
                           std::vector<Request>& out) {
    auto const under_way =
        std::count_if(peer.asked.begin(), peer.asked.end(), [](Asked const& a) { return !a.overdue; });
    auto const asked_already = [&](std::uint32_t part) {
        return std::any_of(peer.asked.begin(), peer.asked.end(),
                           [&](Asked const& a) { return a.piece == part && !a.overdue; });
    };
    for (auto count = static_cast<std::uint32_t>(under_way); count < peer.window; ++count) {
        auto const part = assembly.choose(now, asked_already);
        if (!part) return;
        std::erase_if(peer.asked, [&](Asked const& a) { return a.piece == *part; });
        peer.asked.push_back({*part, now, false, alone});
        assembly.asked(*part, now);
        out.push_back({handle, *part});
    }
}

// A request that takes too long goes to others; an answer that comes after all is still welcome.
void MetadataExchange::give_up_overdue(TimePoint now) {
    for (auto& [handle, peer] : peers_) {
        bool late = false;
        for (Asked& asked : peer.asked) {
            if (asked.overdue || now - asked.when < kAnswer) continue;
            asked.overdue = late = true;
            if (auto* const assembly = assembly_of(peer, asked.alone)) assembly->unasked(asked.piece);
        }
        if (late) {
            auto const rests = kAnswer * (1 << std::min(peer.timeouts, 4u));
            rest(peer, now + std::min<std::chrono::seconds>(rests, kLongestRest));
            ++peer.timeouts;
            peer.window = 1;
        }
        // Its place among those asked alone goes to the next.
        if (peer.alone && peer.usable_from > now) {
            forget_requests(peer);
            release(*peer.alone);
            peer.alone.reset();
        }
    }
}

std::optional<TimePoint> MetadataExchange::next_time(TimePoint now) const {
    std::optional<TimePoint> next;
    if (finished_) return next;
    for (auto const& [handle, peer] : peers_) {
        if (peer.usable_from > now) earlier(next, peer.usable_from);
        for (Asked const& asked : peer.asked)
            if (!asked.overdue) earlier(next, asked.when + kAnswer);
    }
    bool const somebody_is_free =
        std::any_of(peers_.begin(), peers_.end(), [&](auto const& p) { return p.second.usable_from <= now; });
    if (!somebody_is_free) return next;
    for (auto const& [bytes, size] : sizes_)
        if (auto const overdue = size.shared.next_overdue()) earlier(next, std::max(*overdue, now + 100ms));
    return next;
}

std::size_t MetadataExchange::peers_asked() const {
    return static_cast<std::size_t>(std::count_if(peers_.begin(), peers_.end(), [](auto const& p) {
        return std::any_of(p.second.asked.begin(), p.second.asked.end(), [](Asked const& a) { return !a.overdue; });
    }));
}

}  // namespace rqfs::torrent
