// What the user says to a torrent's trackers, and what they say to it.
#include "torrent/net/url.h"
#include "torrent/torrent_operation.h"
#include "torrent/tracker/tracker_list.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

std::vector<std::string> flattened(TrackerTiers const& tiers) {
    std::vector<std::string> all;
    for (auto const& tier : tiers) all.insert(all.end(), tier.begin(), tier.end());
    return all;
}

}  // namespace

asio::awaitable<std::string> Torrent::edit_trackers(TrackerEdit edit) {
    Operation const operation(*this);
    co_await my_turn();
    auto list = edited(record_.trackers, edit);
    if (!list) throw_error(list.error());
    auto named = edit.add;
    if (edit.replace) named = flattened(*edit.replace);
    if (edit.replace) named.insert(named.end(), edit.add.begin(), edit.add.end());
    named = found_in(*list, named);
    auto const known = found_in(record_.trackers, named).size();
    auto const now_there = flattened(*list);
    std::set<std::string> trusted(record_.user_trackers.begin(), record_.user_trackers.end());
    trusted.insert(named.begin(), named.end());
    record_.user_trackers.clear();
    std::copy_if(now_there.begin(), now_there.end(), std::back_inserter(record_.user_trackers),
                 [&](auto const& url) { return trusted.contains(url); });
    auto const before = flattened(record_.trackers);
    bool const left_one = found_in(*list, before).size() < before.size();
    record_.trackers = std::move(*list);
    announcer_.set_trackers(record_.trackers, record_.user_trackers);
    if (left_one && is_private()) {
        connections_.trackers_changed();
        announcer_.announce_now();
    }
    for (auto const& url : found_in(record_.trackers, edit.add)) announcer_.ask(url);  // or in its turn
    co_await keeper_.save();
    if (!is_private() || known == named.size()) co_return std::string();
    co_return "the torrent is private: the tracker it came from may not like that it is announced to another one too";
}

AskedTrackers Torrent::announce(std::optional<std::string> const& url) {
    if (!running_) throw_error(Errc::paused, "the torrent is paused: it is announced to nobody");
    auto const all = flattened(record_.trackers);
    auto const chosen = url ? found_in(record_.trackers, {*url}) : all;
    if (url && chosen.empty()) throw_error(Errc::not_found, "the torrent has no tracker " + *url);
    AskedTrackers result;
    for (auto const& each : chosen) {
        auto refused = announcer_.ask(each);
        if (refused)
            result.refused.push_back(std::move(*refused));
        else
            result.asked.push_back(each);
    }
    result.dht = !url && peer_search_.search_now();
    auto const dht = url ? std::nullopt : peer_search_.dht_status();
    if (dht && !result.dht) result.refused.push_back("the DHT: " + dht->message);
    if (!result.asked.empty() || result.dht) return result;
    if (result.refused.empty())
        throw_error(Errc::not_found, "the torrent has no tracker, and it is not looked for in the DHT");
    throw_error(Errc::busy, result.refused.front());
}

void Torrent::scrape() { announcer_.scrape(); }

void Torrent::tracker_peers(std::string const& tracker, std::vector<Endpoint> peers) {
    auto const url = Url::parse(tracker);  // the rest of it may tell who the user is
    logger_->debug("tracker gave peers torrent={} tracker={} peers={}", record_.info_hash.short_hex(),
                   url ? url->host : std::string(), peers.size());
    connections_.add_addresses(peers, AddressSource::tracker);
    connections_.tick();
}

std::vector<TrackerStatus> Torrent::trackers() const {
    auto trackers = announcer_.status();
    if (auto dht = peer_search_.dht_status()) {
        dht->tier = trackers.empty() ? 0 : trackers.back().tier + 1;
        trackers.push_back(std::move(*dht));
    }
    return trackers;
}

}  // namespace rqfs::torrent
