#pragma once

#include "torrent/clock.h"
#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/net/http_client.h"
#include "torrent/net/resolver.h"
#include "torrent/net/udp_socket.h"
#include "torrent/per_family.h"
#include "torrent/task_group.h"
#include "torrent/tracker_status.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::torrent {

struct TrackerClients;

// Tells a torrent's trackers about us and the torrent about peers: tiers of BEP 12, intervals, events, backoff, scrape.
// One a torrent, owned by it.
class Announcer {
public:
    // What a tracker is told; asked for at each announce. Implemented by Torrent.
    struct Facts {
        std::array<std::byte, 20> peer_id{};
        PerFamily<std::uint16_t> ports{};  // where peers of each family reach us
        std::uint64_t uploaded_bytes = 0;  // this run, as BEP 3 counts from `started`
        std::uint64_t downloaded_bytes = 0;
        std::uint64_t left_bytes = 0;
        std::uint32_t connected_peers = 0;
        bool wants_peers = true;    // else numwant 0
        bool partial_seed = false;  // BEP 21: event=paused... everything wanted is here, but not all
    };
    class Owner {
    public:
        virtual ~Owner() = default;
        virtual Facts announce_facts() const = 0;
        virtual void tracker_peers(std::string const& tracker, std::vector<Endpoint> peers) = 0;
        // BEP 24; `users`: the user named this tracker, else a stranger did.
        virtual void tracker_says_we_are(Address address, Address const& tracker, bool users) = 0;
    };
    // What all announcers of a session share; outlives them.
    struct Network {
        boost::asio::any_io_executor executor;
        Clock& clock;
        HttpClient& http;
        Resolver& resolver;
        UdpSocket& udp;
        bool test_network = false;
        TrackerClients* clients = nullptr;  // null: this announcer has its own, and no limit is shared
    };

    Announcer(Network network, InfoHash const& info_hash, std::vector<std::vector<std::string>> tiers, bool is_private,
              Owner& owner);
    ~Announcer();

    // Everything else may be called before; stop() must have ended before destruction.
    void start();         // event=started
    void completed();     // event=completed, once
    void announce_now();  // the user asked, or peers ran out: as soon as `min interval` allows
    void urgent(
        bool somebody_waits);  // first tracker of every tier at once (not for private torrents), early UDP retry
    // The list is this from now on: trackers that are no longer in it hear `stopped` as far as they can be reached;
    // those of `trusted` are the user's word and may be anywhere.
    void set_trackers(std::vector<std::vector<std::string>> const& tiers, std::vector<std::string> const& trusted);
    // The user wants this tracker asked now; returns the sentence that says why it is not, else nothing.
    std::optional<std::string> ask(std::string const& url);
    void
    scrape();  // somebody looks at the figures: asks trackers that work for new ones, unless they were asked lately
    void set_private(bool is_private);  // known only once the metadata is there
    std::vector<std::vector<std::string>> tiers() const;
    std::vector<TrackerStatus> status() const;

    // event=stopped to trackers that heard `started`, at most `limit`; then silent until start() again.
    boost::asio::awaitable<void> stop(Duration limit);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rqfs::torrent
