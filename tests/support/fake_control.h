#pragma once

#include "torrent/control.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::tests {

// A Control whose torrents are what the test says, and which writes down what it was told. One thread at a time.
class FakeControl final : public torrent::Control {
public:
    struct Torrent {
        torrent::TorrentStatus status;
        std::vector<torrent::FileStatus> files;
        std::vector<torrent::PeerStatus> peers;
        std::vector<torrent::TrackerStatus> trackers;
        std::map<torrent::FileIndex, torrent::WhyStatus> why{};
        std::vector<torrent::UnreachedPeer> unreached{};
    };

    std::vector<Torrent> known;
    torrent::SessionStatus session;
    torrent::Statistics figures;
    std::string hindrance;                            // what obstacle() returns
    std::string no_dht;                               // what why_no_dht() returns
    std::vector<torrent::DhtStatus> nodes;            // of the DHT
    std::vector<std::string> calls;                   // "pause 0123abcd", "limit up=5 down=-", ...
    std::vector<std::byte> uploaded;                  // the last torrent file
    std::map<std::string, torrent::Error> add_fails;  // by source; "" for a torrent file
    std::string edit_warns;                           // what edit_trackers() returns
    torrent::AskedTrackers announced;                 // what announce() returns
    bool add_blocks = false;                          // add() waits until it is cancelled

    Torrent& with(char digit, std::string name, torrent::TorrentState state = torrent::TorrentState::idle);
    static torrent::InfoHash hash_of(char digit);  // 40 times this digit

    boost::asio::awaitable<torrent::Added> add(std::string magnet_or_url, torrent::AddOptions options) override;
    boost::asio::awaitable<torrent::Added> add(std::vector<std::byte> torrent_file,
                                               torrent::AddOptions options) override;
    boost::asio::awaitable<void> remove(torrent::InfoHash info_hash, bool keep_data) override;
    torrent::SessionStatus status() const override;
    torrent::Statistics statistics() const override { return figures; }
    std::vector<torrent::TorrentStatus> torrents() const override;
    torrent::TorrentStatus torrent(torrent::InfoHash info_hash) const override;
    std::vector<torrent::FileStatus> files(torrent::InfoHash info_hash) const override;
    std::vector<torrent::PeerStatus> peers(torrent::InfoHash info_hash) const override;
    std::vector<torrent::TrackerStatus> trackers(torrent::InfoHash info_hash) const override;
    std::string magnet(torrent::InfoHash info_hash) const override;
    std::vector<torrent::DhtStatus> dht() const override { return nodes; }
    std::string why_no_dht() const override { return no_dht; }
    std::string obstacle() const override { return hindrance; }
    std::vector<torrent::UnreachedPeer> unreached(torrent::InfoHash const& info_hash) const override;
    torrent::WhyStatus why(torrent::InfoHash const& info_hash, torrent::FileIndex file) const override;
    boost::asio::awaitable<void> pause(torrent::InfoHash info_hash) override;
    boost::asio::awaitable<void> resume(torrent::InfoHash info_hash) override;
    boost::asio::awaitable<void> download(torrent::InfoHash info_hash, std::vector<torrent::FileIndex> files) override;
    void verify(torrent::InfoHash info_hash, bool cancel) override;
    boost::asio::awaitable<void> connect(torrent::InfoHash info_hash, std::string host, std::uint16_t port) override;
    boost::asio::awaitable<std::string> edit_trackers(torrent::InfoHash info_hash, torrent::TrackerEdit edit) override;
    torrent::AskedTrackers announce(torrent::InfoHash const& info_hash,
                                    std::optional<std::string> const& tracker) override;
    void scrape(torrent::InfoHash const& info_hash) override;
    void limit(std::optional<std::uint64_t> up, std::optional<std::uint64_t> down) override;
    void log_torrent(torrent::InfoHash info_hash, std::string level) override;
    void log_peer(torrent::Endpoint peer, std::string level) override;

private:
    Torrent const& find(torrent::InfoHash const& info_hash) const;
    void note(std::string const& what, torrent::InfoHash const& info_hash, std::string const& rest = {});
    boost::asio::awaitable<torrent::Added> add_any(std::string source, std::string name, char digit,
                                                   torrent::AddOptions options);
};

}  // namespace rqfs::tests
