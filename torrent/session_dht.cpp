// The session's DHT: built from what the store keeps of it, kept there, and told to the torrents by the context.
#include "torrent/log.h"
#include "torrent/net/address_policy.h"
#include "torrent/session_state.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

// Run by other projects for everybody; asked when no other node is known.
std::vector<std::string> well_known_routers() {
    return {"dht.libtorrent.org:25401", "router.bittorrent.com:6881", "dht.transmissionbt.com:6881",
            "router.utorrent.com:6881", "dht.aelitis.com:6881"};
}

}  // namespace

asio::awaitable<void> Session::State::open_dht() {
    if (!settings.dht) co_return;
    if (network.udp().local().empty()) {
        auto const obstacle = network.udp().obstacle();
        log().warn("{}: the DHT stays off", obstacle.empty() ? "no UDP socket" : obstacle);
        co_return;
    }
    std::vector<std::byte> saved;
    try {
        saved = co_await parts.store.load_dht();
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        log().warn("the nodes of the DHT were not loaded error={}", sentence(e));
    }
    Dht::Options options;
    options.routers = settings.dht_routers;
    if (options.routers.empty() && !settings.test_network) options.routers = well_known_routers();
    options.read_only = settings.dht_read_only || proxied;  // what others ask need not get through to us
    options.test_network = settings.test_network;
    options.is_our_own = context.is_our_own;
    options.refuses = [this](Address const& address) { return filter.refuses(address); };
    options.anonymous = settings.anonymous;
    options.on_address = [this](Address const& address) { nodes_say_we_are(address); };
    Dht::Network const where{parts.executor, parts.clock, network.udp(), resolver};
    dht = std::make_unique<Dht>(where, std::move(options), saved);
    context.dht = dht.get();
}

void Session::State::start_dht() {
    if (!dht) return;
    dht->start();
    tasks.spawn(keep_dht());
}

asio::awaitable<void> Session::State::keep_dht() {
    for (;;) {
        co_await parts.clock.sleep(limit::kDhtSaveInterval);
        co_await save_dht();
    }
}

asio::awaitable<void> Session::State::save_dht() {
    try {
        co_await parts.store.save_dht(dht->save());
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        log().debug("the nodes of the DHT were not saved error={}", sentence(e));
    }
}

// No torrent searches any more.
asio::awaitable<void> Session::State::close_dht() {
    if (!dht) co_return;
    context.dht = nullptr;
    co_await dht->stop();
    co_await save_dht();
    dht.reset();
}

void Session::State::nodes_say_we_are(Address const& address) {
    if (!may_be_our_own(address, settings.test_network)) return;
    if (external.nodes_say(address, parts.clock.now())) external_address_changed(address);
}

}  // namespace rqfs::torrent
