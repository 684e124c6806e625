#include "tests/support/fake_control.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace rqfs::tests {

namespace asio = boost::asio;
using torrent::Errc;
using torrent::InfoHash;

InfoHash FakeControl::hash_of(char digit) { return InfoHash::parse(std::string(40, digit)).value(); }

FakeControl::Torrent& FakeControl::with(char digit, std::string name, torrent::TorrentState state) {
    Torrent made;
    made.status.info_hash = hash_of(digit);
    made.status.directory = name;
    made.status.name = std::move(name);
    made.status.state = state;
    known.push_back(std::move(made));
    return known.back();
}

FakeControl::Torrent const& FakeControl::find(InfoHash const& info_hash) const {
    for (auto const& torrent : known)
        if (torrent.status.info_hash == info_hash) return torrent;
    torrent::throw_error(Errc::not_found, "there is no torrent " + info_hash.hex());
}

void FakeControl::note(std::string const& what, InfoHash const& info_hash, std::string const& rest) {
    find(info_hash);
    calls.push_back(what + " " + info_hash.short_hex() + (rest.empty() ? "" : " ") + rest);
}

asio::awaitable<torrent::Added> FakeControl::add_any(std::string source, std::string name, char digit,
                                                     torrent::AddOptions options) {
    calls.push_back("add " + name + (options.paused ? " paused" : "") + (options.download ? " download" : ""));
    if (add_blocks) {
        asio::steady_timer never(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await never.async_wait(asio::use_awaitable);
    }
    auto const failure = add_fails.find(source);
    if (failure != add_fails.end()) torrent::throw_error(failure->second);
    torrent::Added added;
    added.info_hash = hash_of(digit);
    added.was_there =
        std::any_of(known.begin(), known.end(), [&](auto const& t) { return t.status.info_hash == added.info_hash; });
    if (!added.was_there) with(digit, std::move(name), torrent::TorrentState::metadata);
    co_return added;
}

// The torrent's hash is the last character of the link, its name the whole of it.
asio::awaitable<torrent::Added> FakeControl::add(std::string magnet_or_url, torrent::AddOptions options) {
    auto const digit = magnet_or_url.back();
    auto const name = magnet_or_url;
    return add_any(std::move(magnet_or_url), name, digit, options);
}

asio::awaitable<torrent::Added> FakeControl::add(std::vector<std::byte> torrent_file, torrent::AddOptions options) {
    uploaded = std::move(torrent_file);
    return add_any("", "file", 'f', options);
}

asio::awaitable<void> FakeControl::remove(InfoHash info_hash, bool keep_data) {
    note("remove", info_hash, keep_data ? "keep" : "");
    std::erase_if(known, [&](auto const& t) { return t.status.info_hash == info_hash; });
    co_return;
}

torrent::SessionStatus FakeControl::status() const { return session; }

std::vector<torrent::TorrentStatus> FakeControl::torrents() const {
    std::vector<torrent::TorrentStatus> all;
    for (auto const& torrent : known) all.push_back(torrent.status);
    return all;
}

torrent::TorrentStatus FakeControl::torrent(InfoHash info_hash) const { return find(info_hash).status; }
std::vector<torrent::FileStatus> FakeControl::files(InfoHash info_hash) const { return find(info_hash).files; }
std::vector<torrent::PeerStatus> FakeControl::peers(InfoHash info_hash) const { return find(info_hash).peers; }
std::vector<torrent::UnreachedPeer> FakeControl::unreached(InfoHash const& info_hash) const {
    return find(info_hash).unreached;
}
std::vector<torrent::TrackerStatus> FakeControl::trackers(InfoHash info_hash) const { return find(info_hash).trackers; }
std::string FakeControl::magnet(InfoHash info_hash) const {
    return "magnet:?xt=urn:btih:" + find(info_hash).status.info_hash.hex();
}

torrent::WhyStatus FakeControl::why(InfoHash const& info_hash, torrent::FileIndex file) const {
    auto const& all = find(info_hash).why;
    auto const found = all.find(file);
    if (found == all.end())
        torrent::throw_error(Errc::not_found, "the torrent has no file " + std::to_string(file.value()));
    return found->second;
}

asio::awaitable<void> FakeControl::pause(InfoHash info_hash) {
    note("pause", info_hash);
    co_return;
}

asio::awaitable<void> FakeControl::resume(InfoHash info_hash) {
    note("resume", info_hash);
    co_return;
}

asio::awaitable<void> FakeControl::download(InfoHash info_hash, std::vector<torrent::FileIndex> files) {
    std::string list;
    for (auto const file : files) list += (list.empty() ? "" : ",") + std::to_string(file.value());
    note("download", info_hash, list);
    co_return;
}

void FakeControl::verify(InfoHash info_hash, bool cancel) { note("verify", info_hash, cancel ? "cancel" : ""); }

asio::awaitable<void> FakeControl::connect(InfoHash info_hash, std::string host, std::uint16_t port) {
    note("connect", info_hash, host + " " + std::to_string(port));
    co_return;
}

asio::awaitable<std::string> FakeControl::edit_trackers(InfoHash info_hash, torrent::TrackerEdit edit) {
    std::string text;
    auto const append = [&](std::string const& word) { text += (text.empty() ? "" : " ") + word; };
    for (auto const& tier : edit.replace.value_or(std::vector<std::vector<std::string>>())) {
        append("=");
        for (auto const& url : tier) append(url);
    }
    for (auto const& url : edit.remove) append("-" + url);
    for (auto const& url : edit.add) append("+" + url);
    if (edit.tier) append("tier " + std::to_string(*edit.tier));
    note("edit", info_hash, text);
    co_return edit_warns;
}

torrent::AskedTrackers FakeControl::announce(InfoHash const& info_hash, std::optional<std::string> const& tracker) {
    if (announced.asked.empty() && !announced.dht) torrent::throw_error(Errc::busy, "t may be asked again in 60 s");
    note("announce", info_hash, tracker.value_or(""));
    return announced;
}

void FakeControl::scrape(InfoHash const& info_hash) { note("scrape", info_hash); }

void FakeControl::limit(std::optional<std::uint64_t> up, std::optional<std::uint64_t> down) {
    auto const text = [](std::optional<std::uint64_t> value) {
        return value ? std::to_string(*value) : std::string("-");
    };
    calls.push_back("limit up=" + text(up) + " down=" + text(down));
    if (up) session.up_limit = *up;
    if (down) session.down_limit = *down;
}

void FakeControl::log_torrent(InfoHash info_hash, std::string level) { note("log", info_hash, level); }
void FakeControl::log_peer(torrent::Endpoint peer, std::string level) {
    calls.push_back("log " + peer.text() + " " + level);
}

}  // namespace rqfs::tests
