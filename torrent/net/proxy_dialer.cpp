#include "torrent/net/proxy_dialer.h"

#include "torrent/error.h"
#include "torrent/log.h"
#include "torrent/net/address_policy.h"
#include "torrent/net/proxy_error.h"
#include "torrent/net/proxy_handshake.h"
#include "torrent/timeout.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;
using boost::system::system_error;

namespace {

// Short enough to follow a proxy that moves, long enough that a hundred dials a minute ask nothing.
constexpr std::chrono::seconds kLookUpAgain{60};
constexpr std::chrono::seconds kTellAgain{60};  // of a proxy that is there and away by turns

// What others say is repeated in sentences.
bool is_printable(std::string_view name) {
    return std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

[[noreturn]] void refuse_relay(ProxyAddress const& proxy) {
    throw system_error(ProxyErrc::malformed, "the proxy " + proxy.place() + " relays datagrams where nobody can be");
}

}  // namespace

asio::awaitable<std::unique_ptr<StreamSocket>> ProxyDialer::dial(Duration limit, std::string about) {
    std::unique_ptr<StreamSocket> stream;  // there as soon as the proxy is reached
    std::optional<system_error> failure;
    try {
        auto opening = open(stream, limit, std::move(about));
        co_await with_timeout(clock_, std::move(opening), limit, "it does not answer");
    } catch (system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        failure = e;
    }
    closed_to_us_.clear();
    if (!failure) {
        tell();
        co_return stream;
    }
    auto const place = "the proxy " + proxy_.place();
    if (!stream)
        failure = system_error(ProxyErrc::unreachable, place + " (" + sentence(*failure) + ")");
    else if (failure->code() == make_error_code(Errc::timed_out))
        failure = system_error(ProxyErrc::silent, place);
    closed_to_us_ = sentence(*failure);
    tell();
    throw *failure;
}

asio::awaitable<void> ProxyDialer::open(std::unique_ptr<StreamSocket>& stream, Duration limit, std::string about) {
    stream = co_await dial_any(limit);
    co_await proxy_log_in(*stream, proxy_, std::move(about));
}

void ProxyDialer::heard(boost::system::error_code const& code, std::string const& what) {
    denies_all_ = is_trouble_with_proxy(code) ? what : std::string();
    tell();
}

// Once when it begins and once when it is over, however many dials meet it.
void ProxyDialer::tell() {
    bool const in_trouble = !trouble().empty();
    if (in_trouble == told_ || (in_trouble && clock_.now() < tell_again_)) return;
    told_ = in_trouble;
    tell_again_ = clock_.now() + kTellAgain;
    if (in_trouble)
        log().warn("nothing is sent but to the proxy, and that is in trouble error=\"{}\"", trouble());
    else
        log().info("the proxy is of service again proxy={}", proxy_.text());
}

asio::awaitable<std::unique_ptr<StreamSocket>> ProxyDialer::dial_any(Duration limit) {
    co_await look_up();
    auto const addresses = addresses_;
    for (std::size_t i = 0;; ++i) {
        Endpoint const endpoint{addresses[i], proxy_.port};
        try {
            co_return co_await connector_.connect(endpoint, limit / static_cast<Duration::rep>(addresses.size()));
        } catch (system_error const& e) {
            if (e.code() == asio::error::operation_aborted || i + 1 == addresses.size()) throw;
        }
    }
}

asio::awaitable<void> ProxyDialer::look_up() {
    if (clock_.now() < look_up_again_) co_return;
    try {
        addresses_ = co_await resolver_.resolve(proxy_.host);
        look_up_again_ = clock_.now() + kLookUpAgain;
    } catch (system_error const& e) {
        if (e.code() == asio::error::operation_aborted || addresses_.empty()) throw;
    }
}

asio::awaitable<Endpoint> ProxyDialer::find_relay(ProxyTarget named, Address own) {
    std::vector<Address> addresses(1, named.address);
    if (!named.name.empty() && named.name != proxy_.host) {
        if (!is_printable(named.name)) refuse_relay(proxy_);
        addresses = co_await resolver_.resolve(named.name);
    }
    std::optional<Address> found;
    for (auto const& address : addresses) {
        auto const relay = relay_address(address, own);
        // The family that the proxy is reached by is one that we have.
        if (relay && (!found || (found->is_v6() != own.is_v6() && relay->is_v6() == own.is_v6()))) found = relay;
    }
    if (!found) refuse_relay(proxy_);
    Endpoint const relay{*found, named.port};
    co_return relay;
}

}  // namespace rqfs::torrent
