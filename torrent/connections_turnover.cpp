// Which connections end though nobody broke a rule.
#include "torrent/address_filter.h"
#include "torrent/connections.h"
#include "torrent/download.h"
#include "torrent/local_discovery.h"
#include "torrent/settings.h"

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>
#include <vector>

namespace rqfs::torrent {

using namespace std::chrono_literals;

namespace {

// After the last reader: a player that is closed is often opened again at once.
constexpr std::chrono::seconds kIdleGrace{10};

void note_worth(ConnectedPeer& peer, TimePoint now) {
    auto const& connection = *peer.connection;
    auto const downloaded = connection.downloaded_bytes();
    if (connection.interested()) peer.last_wanted = now;
    if (downloaded > std::exchange(peer.downloaded_at_turnover, downloaded)) peer.last_gave = now;
}

}  // namespace

void Connections::turn_over(TimePoint now) {
    if (now < next_turnover_) return;
    next_turnover_ = now + 5s;
    leave_fellow_seeds();
    for (auto& [handle, peer] : peers_) note_worth(peer, now);
    replace_useless(now, false);
    if (owner_.active()) idle_since_ = now;
    bool const crowded = peers_.size() * 10 >= target() * 9;
    // Who is left first: those neither side wants anything of, then those that wait in vain, the longest useless first.
    std::vector<std::tuple<bool, TimePoint, ConnectedPeer*>> candidates;
    for (auto& [handle, peer] : peers_) {
        auto& connection = *peer.connection;
        if (!connection.reason().empty() || connection.interested() || !connection.choked_by_us()) continue;
        bool const they_want = connection.interested_in_us();
        if (crowded && !they_want && now - connection.last_useful() > limit::kInactivity)
            connection.close("neither side wants anything of the other");
        else
            candidates.emplace_back(they_want, connection.last_useful(), &peer);
    }
    // Somebody may open a file again in a moment: connections are worth keeping for a while.
    if (owner_.active() || now - idle_since_ < kIdleGrace || peers_.size() <= limit::kIdleTorrentConnections) return;
    std::sort(candidates.begin(), candidates.end());
    auto const surplus = peers_.size() - limit::kIdleTorrentConnections;
    candidates.resize(std::min(surplus, candidates.size()));
    for (auto const& [they_want, when, peer] : candidates) leave(*peer, "nobody reads this torrent now");
}

TurnoverPeer Connections::turnover_view(PeerHandle handle, ConnectedPeer const& peer, TimePoint now) const {
    auto const& connection = *peer.connection;
    auto* const download = owner_.download();
    auto const* const listed = known_.find(peer.listed);
    TurnoverPeer view;
    view.peer = handle;
    view.kept = (listed != nullptr && listed->user()) ||
                (session_.lan != nullptr && session_.lan->is_neighbour(connection.remote().address));
    view.wanted = connection.interested();
    view.served = connection.interested_in_us();
    view.asked = download != nullptr && peer.in_picker && download->picker().requests_in_flight(handle) > 0;
    view.rate = connection.download_rate(now);
    view.useless = now - connection.last_useful();
    view.unwanted = now - std::max(connection.connected_since(), peer.last_wanted);
    view.gave_nothing = now - std::max(connection.connected_since(), peer.last_gave);
    if (peer.unchokes_us_since) view.unchokes_us = now - *peer.unchokes_us_since;
    return view;
}

bool Connections::replace_useless(TimePoint now, bool for_a_guest) {
    auto const* const download = owner_.download();
    bool const complete = download != nullptr && download->complete();
    // Peers of a torrent that nobody reads are kept for who opens it next.
    if (!owner_.active() && !complete) return false;
    PeerTurnover::Places places;
    places.taken = peers_.size();
    places.all = target();
    places.somebody_waits = for_a_guest || known_.somebody_waits(complete, now);
    places.active = owner_.active();
    places.starved = !complete && owner_.hurried();
    std::vector<TurnoverPeer> views;
    for (auto const& [handle, peer] : peers_)
        if (peer.connection->reason().empty()) views.push_back(turnover_view(handle, peer, now));
    auto const leaving = for_a_guest ? turnover_.make_room(views, places, now) : turnover_.choose(views, places, now);
    for (auto const handle : leaving) {
        auto& peer = peers_.at(handle);
        peer.replaced = true;
        peer.connection->close("others wait for its place");
    }
    return !leaving.empty();
}

void Connections::leave_refused() {
    for (auto& [handle, peer] : peers_) {
        if (!peer.connection->reason().empty() || !session_.refuses(peer.connection->remote().address)) continue;
        session_.filter->count_refused();
        peer.connection->close("the IP filter names it");
    }
}

void Connections::leave_fellow_seeds() {
    auto const* const download = owner_.download();
    if (download == nullptr || !download->complete()) return;
    for (auto& [handle, peer] : peers_) {
        if (!peer.connection->seed()) continue;
        known_.set_seed(peer.listed, true);
        leave(peer, "both sides have everything");
    }
}

void Connections::leave(ConnectedPeer& peer, char const* why) {
    peer.needless = true;
    peer.connection->close(why);
}

}  // namespace rqfs::torrent
