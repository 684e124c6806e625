#include "tests/sim/sessions/sessions.h"
#include "torrent/net/acceptor.h"
#include "torrent/net/stream_socket.h"
#include "torrent/task_group.h"

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace rqfs::tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace torrent;

// A server on a host that counts who comes, by TCP or UDP; what it says to an HTTP request and to a query of the DHT is
// its owner's choice.
class Server final : public UdpSocket::Receiver {
public:
    Server(asio::any_io_executor const& executor, SimulatedHost& host, std::string http_answer = {})
        : host_(host), http_answer_(std::move(http_answer)), tasks_(executor, "server") {
        host_.udp().add(*this);
        host_.start();
        tasks_.spawn(serve());
    }
    ~Server() override { host_.udp().remove(*this); }
    asio::awaitable<void> stop() { co_await tasks_.stop(); }

    bool datagram(Endpoint const& from, std::span<std::byte const> bytes) override {
        ++visits;
        std::string const text(reinterpret_cast<char const*>(bytes.data()), bytes.size());
        auto const transaction = text.find("1:t4:");
        if (krpc_members.empty() || text.find("1:y1:q") == std::string::npos || transaction == std::string::npos)
            return true;
        auto const reply =
            "d1:rd2:id20:" + std::string(20, 'r') + krpc_members + "e" + text.substr(transaction, 9) + "1:y1:re";
        host_.udp().send(from, std::as_bytes(std::span(reply)));
        return true;
    }

    std::size_t visits = 0;
    std::string krpc_members;  // of an answer's dictionary, after the id

private:
    asio::awaitable<void> serve() {
        for (;;) {
            auto const socket = co_await host_.acceptors().front()->accept();
            ++visits;
            if (http_answer_.empty()) continue;
            std::array<char, 4096> request{};
            co_await socket->read_some(asio::buffer(request));
            std::array<asio::const_buffer, 1> const buffers{asio::buffer(http_answer_)};
            co_await socket->write(std::span<asio::const_buffer const>(buffers));
        }
    }

    SimulatedHost& host_;
    std::string http_answer_;
    TaskGroup tasks_;
};

// What strangers make a session visit. Every test has a public server that is visited, which shows that the others
// could have been.
class VettingOfSessions : public Sessions {
protected:
    Server& serve(std::string const& at, std::string http_answer = {}) {
        auto& host = network.add({Endpoint::parse(at).value()});
        return *servers.emplace_back(std::make_unique<Server>(engine.get_executor(), host, std::move(http_answer)));
    }
    static std::string redirect_to(std::string const& place) {
        return "HTTP/1.1 302 Found\r\nLocation: " + place + "\r\nContent-Length: 0\r\n\r\n";
    }
    static std::string ok(std::string const& body) {
        return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    static std::string compact(std::string const& at) {
        std::vector<std::byte> bytes;
        append_compact(Endpoint::parse(at).value(), bytes);
        return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
    }
    void look_for(std::vector<std::string> const& trackers, std::function<void(Settings&)> const& change = {}) {
        auto& leech = add("42.0.0.1:6881", {}, change);
        std::string magnet = "magnet:?xt=urn:btih:" + std::string(40, 'a');
        for (auto const& tracker : trackers) magnet += "&tr=" + tracker;
        run(leech.session->add(magnet, AddOptions{}));
        clock.run_for(engine, 5min);
    }
    void TearDown() override {
        Sessions::TearDown();
        for (auto const& server : servers) run(server->stop());
    }

    std::vector<std::unique_ptr<Server>> servers;
};

TEST_F(VettingOfSessions, TrackersThatAreLocalServersAreNotAskedHoweverTheyAreWritten) {
    auto& canary = serve("10.0.0.1:8080");
    auto& own = serve("127.0.0.1:6379");
    auto& tracker = serve("44.0.0.1:80", ok("d8:intervali1800e5:peers0:e"));
    network.name("rebound.test", Address::parse("10.0.0.1").value());

    look_for({"http://10.0.0.1:8080/x", "http://rebound.test:8080/x", "http://[::ffff:10.0.0.1]:8080/",
              "http://0x0a.1:8080/", "http://167772161:8080/", "udp://10.0.0.1:8080", "udp://rebound.test:8080",
              "http://127.1:6379/", "udp://127.0.0.1:6379", "http://44.0.0.1/announce"});

    EXPECT_EQ(canary.visits, 0u);
    EXPECT_EQ(own.visits, 0u);
    EXPECT_GT(tracker.visits, 0u);
}

TEST_F(VettingOfSessions, ATrackersRedirectDoesNotLeadIntoALocalNetwork) {
    auto& canary = serve("10.0.0.1:8080");
    network.name("rebound.test", Address::parse("10.0.0.1").value());
    auto& honest = serve("44.0.1.1:80", ok("d8:intervali1800e5:peers0:e"));
    std::vector<std::string> trackers;
    int host = 1;
    for (std::string const place :
         {"http://10.0.0.1:8080/", "http://rebound.test:8080/", "http://[::ffff:10.0.0.1]:8080/", "//10.0.0.1:8080/",
          "http://167772161:8080/", "http://44.0.1.1/announce"}) {
        auto const at = "44.0.0." + std::to_string(host++);
        serve(at + ":80", redirect_to(place));
        trackers.push_back("http://" + at + "/announce");
    }

    look_for(trackers);

    EXPECT_EQ(canary.visits, 0u);
    EXPECT_GT(honest.visits, 0u) << "another public server may be named";
    for (std::size_t i = 2; i < servers.size(); ++i)
        EXPECT_GT(servers[i]->visits, 0u) << "tracker " << i << " was not asked";
}

TEST_F(VettingOfSessions, ATrackersPeersAreNoLocalServersAndNoServices) {
    auto& local = serve("10.0.0.1:8080");
    auto& service = serve("45.0.0.1:25");
    auto& database = serve("45.0.1.1:6379");
    auto& peer = serve("45.0.2.1:6881");
    auto const peers =
        compact("10.0.0.1:8080") + compact("45.0.0.1:25") + compact("45.0.1.1:6379") + compact("45.0.2.1:6881");
    serve("44.0.0.1:80", ok("d8:intervali1800e5:peers" + std::to_string(peers.size()) + ":" + peers + "e"));

    look_for({"http://44.0.0.1/announce"});

    EXPECT_EQ(local.visits + service.visits + database.visits, 0u);
    EXPECT_GT(peer.visits, 0u);
}

TEST_F(VettingOfSessions, TheUserIsToldThatNobodyIsDialledWhoIsNamed) {
    auto const peers = compact("10.0.0.1:8080");
    serve("44.0.0.1:80", ok("d8:intervali1800e5:peers" + std::to_string(peers.size()) + ":" + peers + "e"));

    look_for({"http://44.0.0.1/announce"});

    auto const reason = members.back()->session->torrents().front().reason;
    EXPECT_TRUE(reason.starts_with("no peers yet: others name private addresses or ports of services, where they may "
                                   "not make us dial; `rqfsctl connect` does"))
        << reason;
}

TEST_F(VettingOfSessions, NodesOfTheDhtDoNotSendUsToLocalServersOrServices) {
    auto& router = serve("17.0.0.1:6881");
    auto& local = serve("10.0.0.1:8080");
    auto& own = serve("127.0.0.1:6000");
    auto& names = serve("46.0.0.1:53");
    auto& node = serve("46.0.1.1:6881");
    std::string nodes;
    for (std::string const at : {"10.0.0.1:8080", "127.0.0.1:6000", "46.0.0.1:53", "46.0.1.1:6881"})
        nodes += std::string(19, 'a') + static_cast<char>('a' + nodes.size() / 26) + compact(at);
    router.krpc_members = "5:nodes" + std::to_string(nodes.size()) + ":" + nodes;

    look_for({}, [](Settings& settings) { settings.dht_routers = {"17.0.0.1:6881"}; });

    EXPECT_EQ(local.visits + own.visits + names.visits, 0u);
    EXPECT_GT(node.visits, 0u);
}

TEST_F(VettingOfSessions, PeersThatTheDhtNamesAreNoLocalServersAndNoServices) {
    auto& router = serve("17.0.0.1:6881");
    auto& local = serve("10.0.0.1:8080");
    auto& mail = serve("45.0.0.1:25");
    auto& peer = serve("45.0.2.1:6881");
    std::string values;
    for (std::string const at : {"10.0.0.1:8080", "45.0.0.1:25", "45.0.2.1:6881"}) values += "6:" + compact(at);
    router.krpc_members = "5:token2:xx6:valuesl" + values + "e";

    look_for({}, [](Settings& settings) { settings.dht_routers = {"17.0.0.1:6881"}; });

    EXPECT_EQ(local.visits + mail.visits, 0u);
    EXPECT_GT(peer.visits, 0u);
}

}  // namespace
}  // namespace rqfs::tests
