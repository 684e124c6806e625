#pragma once

#include "torrent/clock.h"
#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/net/udp_socket.h"
#include "torrent/tracker/announce.h"
#include "torrent/tracker/udp_messages.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace rqfs::torrent {

// How long to wait for a reply to the datagram sent after `tries` others stayed unanswered: 15 * 2^n seconds (BEP 15),
// but 3 for the first while somebody waits. Nothing: give up. Pure.
std::optional<Duration> udp_reply_wait(std::uint32_t tries, bool urgent);

// Speaks to UDP trackers (BEP 15) for all torrents of a session; addresses are vetted by the caller. Engine thread
// only; its calls have ended before it is destroyed. Lost and forged datagrams are waited out: nothing but
// operation_aborted is thrown.
class UdpTracker final : public UdpSocket::Receiver {
public:
    UdpTracker(boost::asio::any_io_executor executor, Clock& clock, UdpSocket& socket);
    UdpTracker(UdpTracker const&) = delete;
    UdpTracker& operator=(UdpTracker const&) = delete;
    ~UdpTracker() override;

    // `tracker`: its addresses, at least one; as long as one is silent, the next try goes to another. `target` is path and
    // query of the URL (BEP 41).
    boost::asio::awaitable<AnnounceResult> announce(std::vector<Endpoint> tracker, std::string target,
                                                    AnnounceRequest request, bool urgent);
    boost::asio::awaitable<ScrapeReply> scrape(std::vector<Endpoint> tracker, InfoHash info_hash);

    // Somebody waits for this torrent now: requests under way try again sooner.
    void hurry(InfoHash const& info_hash);

    bool datagram(Endpoint const& from, std::span<std::byte const> bytes) override;

private:
    struct Transaction;
    struct Connection {
        std::uint64_t id = 0;
        TimePoint until;
    };
    // What is asked, once connected.
    struct Question {
        std::vector<Endpoint> tracker;
        UdpAction action = UdpAction::announce;
        AnnounceRequest request;  // of a scrape only the info-hash
        std::string target;
        bool urgent = false;
    };
    struct Reply {
        bool failed = true;
        std::string failure;
        bool reached = false;
        std::vector<std::byte> datagram;
        Address from;  // the family it came over is that of the peers in it
    };

    boost::asio::awaitable<Reply> ask(Question const& question);
    boost::asio::awaitable<void> wait_for_reply(Transaction& transaction, std::uint32_t tries);
    Endpoint choose(std::vector<Endpoint> const& tracker) const;
    void heard_nothing_of(Endpoint const& tracker);
    std::vector<std::byte> encode(Question const& question, std::optional<std::uint64_t> connection,
                                  std::uint32_t transaction) const;
    std::optional<std::uint64_t> connection_to(Endpoint const& tracker);
    void connected(Endpoint const& tracker, std::uint64_t id);
    std::uint32_t unused_transaction() const;

    boost::asio::any_io_executor executor_;
    Clock& clock_;
    UdpSocket& socket_;
    std::unordered_map<std::uint32_t, Transaction*> transactions_;
    std::map<Endpoint, Connection> connections_;
    std::map<Endpoint, TimePoint> silent_;  // since their last answer, if ever: when they last gave none
};

}  // namespace rqfs::torrent
