#include "torrent/net/proxied_udp.h"

#include "torrent/error.h"
#include "torrent/limits.h"
#include "torrent/log.h"
#include "torrent/net/proxy_error.h"
#include "torrent/net/proxy_handshake.h"
#include "torrent/net/socks5_message.h"
#include "torrent/timeout.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;
using boost::system::system_error;

namespace {

constexpr Duration kFirstPause = std::chrono::seconds(1);
constexpr Duration kLastPause = std::chrono::seconds(60);
constexpr Duration kRefusedPause = std::chrono::minutes(15);  // its rules may change, but nobody waits for that
constexpr Duration kLasted = std::chrono::seconds(30);        // an association that did begins the pauses anew
constexpr Duration kLook = std::chrono::seconds(10);
// Of a relay to which we send: a DHT has an answer every few seconds, and a tracker one within its 15.
constexpr Duration kSilence = std::chrono::minutes(2);

// The server understood and will not; anything else may be over in a moment.
bool is_refusal(boost::system::error_code const& code) {
    return code == ProxyErrc::not_allowed || code == ProxyErrc::no_command || code == ProxyErrc::no_address_type ||
           code == ProxyErrc::failure;
}

}  // namespace

ProxiedUdp::ProxiedUdp(asio::any_io_executor const& executor, Clock& clock, UdpSocket& inner, ProxyDialer& dialer,
                       ProxiedResolver& names)
    : clock_(clock),
      inner_(inner),
      dialer_(dialer),
      names_(names),
      possible_(dialer.proxy().kind == ProxyAddress::Kind::socks5),
      tasks_(executor, "datagrams through the proxy") {
    if (!possible_) obstacle_ = "the proxy " + dialer_.proxy().text() + " relays no datagrams, as HTTP carries no UDP";
    associating_ = possible_;  // as soon as it is started
    inner_.add(*this);
}

ProxiedUdp::~ProxiedUdp() { inner_.remove(*this); }

void ProxiedUdp::start() {
    if (possible_) tasks_.spawn(keep_associated());
}

asio::awaitable<void> ProxiedUdp::stop() { co_await tasks_.stop(); }

// IPv4 alone: what the proxy reaches we cannot know, and nearly every proxy reaches that.
std::vector<Endpoint> ProxiedUdp::local() const {
    return possible_ ? std::vector<Endpoint>(1) : std::vector<Endpoint>();
}

void ProxiedUdp::send(Endpoint const& to, std::span<std::byte const> bytes) {
    if (!relay_ && !associating_) return;
    auto const target = names_.target(to);
    if (!target) return;
    auto datagram = socks5::encode_datagram_head(*target);
    datagram.insert(datagram.end(), bytes.begin(), bytes.end());
    if (relay_) {
        inner_.send(*relay_, datagram);
        if (!unanswered_since_) unanswered_since_ = clock_.now();
        return;
    }
    waiting_.push_back(std::move(datagram));
    if (waiting_.size() > limit::kProxyDatagramsWaiting) waiting_.pop_front();
}

// Whatever is not from the relay is nobody's.
bool ProxiedUdp::datagram(Endpoint const& from, std::span<std::byte const> bytes) {
    if (!relay_ || from != *relay_) return true;
    unanswered_since_.reset();
    auto const inside = socks5::parse_datagram(bytes);
    // A relay that repeats the name says nothing of who sent it, and an answer to a name is known by its port.
    if (inside) receivers_.deliver({inside->from.address, inside->from.port}, inside->bytes);
    return true;
}

asio::awaitable<void> ProxiedUdp::keep_associated() {
    for (auto pause = kFirstPause;;) {
        auto const begun = clock_.now();
        bool refused = false;
        try {
            co_await associate();
        } catch (system_error const& e) {
            if (e.code() == asio::error::operation_aborted) throw;
            refused = is_refusal(e.code());
            failed(e);
        }
        if (clock_.now() - begun >= kLasted) pause = kFirstPause;
        auto const now = refused ? kRefusedPause : pause;
        co_await clock_.sleep(now);
        pause = std::min(pause * 2, kLastPause);
    }
}

// Returns when the association has ended, throws when there was none.
asio::awaitable<void> ProxiedUdp::associate() {
    struct End {
        ProxiedUdp& self;
        ~End() {
            self.associating_ = false;
            self.relay_.reset();
            self.waiting_.clear();
        }
    } const end{*this};
    associating_ = true;
    Endpoint relay;
    auto opening = open_relay(relay);
    auto const stream = co_await with_timeout(clock_, std::move(opening), 2 * limit::kProxyTime,
                                              "the proxy " + dialer_.proxy().place() + " does not answer");
    associated(relay);
    co_await watch(*stream);
}

asio::awaitable<std::unique_ptr<StreamSocket>> ProxiedUdp::open_relay(Endpoint& relay) {
    std::string about = kToRelayDatagrams;
    auto stream = co_await dialer_.dial(limit::kProxyTime, std::move(about));
    auto named = co_await proxy_associate(*stream, dialer_.proxy());
    auto finding = dialer_.find_relay(std::move(named), stream->remote().address);
    relay = co_await std::move(finding);
    co_return std::move(stream);
}

void ProxiedUdp::associated(Endpoint const& relay) {
    if (told_) log().info("datagrams go through the proxy again proxy={}", dialer_.proxy().text());
    told_ = false;
    obstacle_.clear();
    associating_ = false;
    relay_ = relay;
    unanswered_since_.reset();
    if (!waiting_.empty()) unanswered_since_ = clock_.now();
    for (auto const& datagram : waiting_) inner_.send(relay, datagram);
    waiting_.clear();
    log().debug("datagrams go through the proxy relay={}", relay.text());
}

void ProxiedUdp::failed(system_error const& failure) {
    auto const what = sentence(failure);
    obstacle_ = is_refusal(failure.code()) ? what : std::string();
    if (!told_)
        log().warn("no datagrams through the proxy: UDP trackers and the DHT are out of reach error=\"{}\"", what);
    told_ = true;
}

namespace {

// Until the stream ends; nothing is ever said on it.
asio::awaitable<void> wait_for_end(StreamSocket& stream, boost::system::error_code& end) {
    std::array<std::byte, 64> ignored{};
    auto const buffer = asio::buffer(ignored);
    try {
        for (;;) co_await stream.read_some(buffer);
    } catch (system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        end = e.code();
    }
}

}  // namespace

// Ends with the stream, or when what is sent stays unanswered.
asio::awaitable<void> ProxiedUdp::watch(StreamSocket& stream) {
    for (;;) {
        boost::system::error_code end;
        try {
            co_await with_timeout(clock_, wait_for_end(stream, end), kLook, std::string());
        } catch (system_error const& e) {
            if (e.code() != make_error_code(Errc::timed_out)) throw;
        }
        auto const silent = unanswered_since_ && clock_.now() - *unanswered_since_ >= kSilence;
        if (!end && !silent) continue;
        log().debug("the proxy's relay ended reason=\"{}\"", end ? end.message() : "nothing comes back");
        co_return;
    }
}

}  // namespace rqfs::torrent
