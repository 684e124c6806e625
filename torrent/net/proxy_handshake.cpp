#include "torrent/net/proxy_handshake.h"

#include "torrent/net/http_connect.h"
#include "torrent/net/proxy_error.h"
#include "torrent/net/socks5_message.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;
using boost::system::error_code;
using boost::system::system_error;

namespace {

constexpr std::size_t kReceiveBytes = 1024;  // of a reply to CONNECT at a time

// A conversation with a proxy about one thing; all outlive it.
class Talk {
public:
    Talk(StreamSocket& stream, ProxyAddress const& proxy, std::string about)
        : stream_(stream), proxy_(proxy), about_(std::move(about)) {}

    [[noreturn]] void fail(error_code const& code) const {
        throw system_error(code, "the proxy " + proxy_.place() + " refused " + about_);
    }

    asio::awaitable<void> send(std::string_view bytes) {
        std::array<asio::const_buffer, 1> const one{asio::buffer(bytes)};
        std::span<asio::const_buffer const> const view(one);
        bool broken = false;
        try {
            co_await stream_.write(view);
        } catch (system_error const& e) {
            if (e.code() == asio::error::operation_aborted) throw;
            broken = true;
        }
        if (broken) fail(ProxyErrc::closed);
    }

    asio::awaitable<void> send(std::vector<std::byte> bytes) {
        std::string_view const text(reinterpret_cast<char const*>(bytes.data()), bytes.size());
        co_await send(text);
    }

    asio::awaitable<std::size_t> read_some(asio::mutable_buffer into) {
        try {
            co_return co_await stream_.read_some(into);
        } catch (system_error const& e) {
            if (e.code() == asio::error::operation_aborted) throw;
        }
        fail(ProxyErrc::closed);
    }

    // Exactly so many.
    asio::awaitable<void> read(std::span<std::byte> into) {
        while (!into.empty()) {
            auto const buffer = asio::buffer(into.data(), into.size());
            into = into.subspan(co_await read_some(buffer));
        }
    }

private:
    StreamSocket& stream_;
    ProxyAddress const& proxy_;
    std::string about_;
};

asio::awaitable<void> socks5_log_in(Talk& talk, ProxyAddress const& proxy) {
    auto greeting = socks5::encode_greeting(proxy.has_login());
    co_await talk.send(std::move(greeting));
    std::array<std::byte, socks5::kMethodBytes> answer{};
    co_await talk.read(answer);
    auto const method = socks5::parse_method(answer, proxy.has_login());
    if (!method) talk.fail(method.error());
    if (*method == socks5::Method::none) co_return;
    auto login = socks5::encode_login(proxy.user, proxy.password);
    co_await talk.send(std::move(login));
    std::array<std::byte, socks5::kLoginReplyBytes> verdict{};
    co_await talk.read(verdict);
    if (auto const refusal = socks5::parse_login_reply(verdict)) talk.fail(refusal);
}

asio::awaitable<ProxyTarget> socks5_request(Talk& talk, socks5::Command command, ProxyTarget const& target) {
    auto request = socks5::encode_request(command, target);
    co_await talk.send(std::move(request));
    std::vector<std::byte> reply(socks5::kReplyHeadBytes);
    std::span<std::byte> const whole(reply);
    co_await talk.read(whole.first<socks5::kVerdictBytes>());
    if (auto const refusal = socks5::parse_verdict(whole.first<socks5::kVerdictBytes>())) talk.fail(refusal);
    co_await talk.read(whole.subspan<socks5::kVerdictBytes>());
    auto const head = socks5::parse_reply_head(whole.first<socks5::kReplyHeadBytes>());
    if (!head) talk.fail(head.error());
    reply.resize(socks5::kReplyHeadBytes + head->rest_bytes);
    co_await talk.read(std::span(reply).subspan(socks5::kReplyHeadBytes));
    auto const used = socks5::parse_reply(reply);
    if (!used) talk.fail(used.error());
    co_return *used;
}

// What of the reply was read too much.
asio::awaitable<std::vector<std::byte>> http_request(Talk& talk, ProxyAddress const& proxy, ProxyTarget const& target) {
    auto const request = encode_http_connect(proxy, target);
    co_await talk.send(std::string_view(request));
    std::string reply;
    std::array<char, kReceiveBytes> part{};
    for (;;) {
        auto const buffer = asio::buffer(part);
        reply.append(part.data(), co_await talk.read_some(buffer));
        auto const size = http_connect_head_bytes(reply);
        if (!size && reply.size() > kHttpConnectReplyBytes) talk.fail(ProxyErrc::malformed);
        if (!size) continue;
        auto const refusal = parse_http_connect_reply(std::string_view(reply).substr(0, *size), proxy.has_login());
        if (refusal) talk.fail(refusal);
        auto const rest = std::as_bytes(std::span(reply)).subspan(*size);
        co_return std::vector<std::byte>(rest.begin(), rest.end());
    }
}

}  // namespace

asio::awaitable<void> proxy_log_in(StreamSocket& stream, ProxyAddress const& proxy, std::string about) {
    if (proxy.kind == ProxyAddress::Kind::http) co_return;
    Talk talk(stream, proxy, std::move(about));
    co_await socks5_log_in(talk, proxy);
}

asio::awaitable<std::vector<std::byte>> proxy_connect(StreamSocket& stream, ProxyAddress const& proxy,
                                                      ProxyTarget const& target) {
    Talk talk(stream, proxy, target.text());
    if (proxy.kind == ProxyAddress::Kind::http) co_return co_await http_request(talk, proxy, target);
    co_await socks5_request(talk, socks5::Command::connect, target);
    co_return std::vector<std::byte>();
}

asio::awaitable<ProxyTarget> proxy_associate(StreamSocket& stream, ProxyAddress const& proxy) {
    Talk talk(stream, proxy, kToRelayDatagrams);
    // RFC 1928, 6: zeros where we do not know from where we shall send, as behind a NAT.
    ProxyTarget const anywhere;
    auto relay = co_await socks5_request(talk, socks5::Command::udp_associate, anywhere);
    if (relay.port == 0) talk.fail(ProxyErrc::malformed);
    co_return relay;
}

}  // namespace rqfs::torrent
