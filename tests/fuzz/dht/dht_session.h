#pragma once

#include "tests/fuzz/dht/dht_model.h"
#include "tests/fuzz/dht/world.h"
#include "tests/support/fake_udp.h"
#include "tests/support/virtual_clock.h"
#include "torrent/dht/dht.h"
#include "torrent/dht/krpc_message.h"
#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/net/resolver.h"
#include "torrent/units.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace rqfs::tests {

// A Dht in made-up time among whatever a fuzzer's bytes make happen to it. The first byte says how it is set up; then
// comes one event after the other: a letter 'a' to 'p' (any byte counts, by its lowest four bits) and a byte for each
// of the event's details. Every event is followed by a look at all that must hold.
class DhtSession {
public:
    explicit DhtSession(FuzzInput input);
    ~DhtSession();

    void run();

private:
    struct Search {
        torrent::InfoHash info_hash;
        bool alive = true;
        bool ends_itself = false;
        std::unique_ptr<torrent::Dht::Search> search;
    };
    class Literals final : public torrent::Resolver {
        boost::asio::awaitable<std::vector<torrent::Address>> resolve(std::string host) override;
    };

    void start(std::vector<std::byte> const& state);
    void stop();
    void event(std::uint8_t kind);
    void pass(torrent::Duration time);
    void inject(torrent::Endpoint const& from, std::string bytes);

    // what others do
    void query();
    void crowd();
    void reply();
    void refuse();
    void stray_reply();
    void raw();
    void broken_reply();
    void network(torrent::Endpoint const& to, torrent::KrpcQuery const& query);
    std::optional<DhtModel::Asked> pick_asked();

    // what its owner does
    void begin_search();
    void end_search();
    void announce();
    void hurry();
    void add_node();
    void restart();
    void found(Search& search, std::vector<torrent::Endpoint> const& peers);

    FuzzInput input_;
    boost::asio::io_context engine_;
    VirtualClock clock_;
    FakeUdp udp_{engine_.get_executor()};
    Literals names_;
    std::minstd_rand random_{1};  // the network's
    std::minstd_rand chance_{2};  // the Dht's
    torrent::Dht::Options options_;
    std::uint8_t mode_ = 0;        // how the network answers by itself
    torrent::Duration time_left_;  // for all events together
    std::unique_ptr<DhtModel> model_;
    std::unique_ptr<torrent::Dht> dht_;
    std::vector<std::unique_ptr<Search>> searches_;
    bool calling_ = false;
    std::size_t told_ = 0;  // of peers
    std::size_t sent_ = 0;  // datagrams
};

}  // namespace rqfs::tests
