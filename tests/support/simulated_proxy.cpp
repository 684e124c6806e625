#include "tests/support/simulated_proxy.h"

#include "torrent/net/acceptor.h"
#include "torrent/net/proxy_target.h"
#include "torrent/net/socks5_message.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <chrono>
#include <string>
#include <utility>

namespace rqfs::tests {

namespace asio = boost::asio;
using namespace torrent;
using boost::system::system_error;

namespace {

constexpr std::size_t kPumpBytes = 16u << 10;

asio::awaitable<std::vector<std::byte>> read(StreamSocket& stream, std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t done = 0; done < size;) {
        auto const buffer = asio::buffer(bytes.data() + done, size - done);
        done += co_await stream.read_some(buffer);
    }
    co_return bytes;
}

asio::awaitable<void> write(StreamSocket& stream, std::vector<std::byte> bytes) {
    std::array<asio::const_buffer, 1> const one{asio::buffer(bytes)};
    std::span<asio::const_buffer const> const view(one);
    co_await stream.write(view);
}

std::vector<std::byte> reply_with(Endpoint const& used) {
    auto reply = socks5::encode_request(socks5::Command::connect, ProxyTarget{{}, used.address, used.port});
    reply[1] = std::byte{0};
    return reply;
}

asio::awaitable<Endpoint> find(Resolver& resolver, ProxyTarget target) {
    if (target.name.empty()) co_return Endpoint{target.address, target.port};
    auto const addresses = co_await resolver.resolve(target.name);
    co_return Endpoint{addresses.front(), target.port};
}

}  // namespace

SimulatedProxy::SimulatedProxy(asio::any_io_executor const& executor, SimulatedHost& host, Resolver& resolver)
    : host_(host), resolver_(resolver), tasks_(executor, "simulated proxy") {
    host_.udp().add(*this);
    host_.start();
    tasks_.spawn(accept());
}

SimulatedProxy::~SimulatedProxy() { host_.udp().remove(*this); }

void SimulatedProxy::hang_up() {
    for (auto const& stream : streams_) stream->close();
}

asio::awaitable<void> SimulatedProxy::stop() {
    hang_up();
    host_.acceptors().front()->close();
    co_await tasks_.stop();
    co_await host_.stop();
}

asio::awaitable<void> SimulatedProxy::accept() {
    for (;;) {
        std::shared_ptr<StreamSocket> const client = co_await host_.acceptors().front()->accept();
        ++connections;
        if (!open) continue;
        streams_.push_back(client);
        if (speaks) tasks_.spawn(serve(client));
    }
}

asio::awaitable<void> SimulatedProxy::serve(std::shared_ptr<StreamSocket> client) {
    try {
        co_await read(*client, 3);
        std::vector<std::byte> no_login{std::byte{5}, std::byte{0}};
        co_await write(*client, std::move(no_login));
        auto request = co_await read(*client, socks5::kReplyHeadBytes);
        bool const datagrams = request[1] == static_cast<std::byte>(socks5::Command::udp_associate);
        request[1] = std::byte{0};  // as a reply, which has the same form
        auto const head =
            socks5::parse_reply_head(std::span<std::byte const>(request).first<socks5::kReplyHeadBytes>());
        auto const rest = co_await read(*client, head.value().rest_bytes);
        request.insert(request.end(), rest.begin(), rest.end());
        auto reply = reply_with(host_.endpoint());
        if (datagrams && !relays) {
            reply[1] = std::byte{7};  // command not supported (RFC 1928, 6)
            if (!hangs_up_instead) co_await write(*client, std::move(reply));
            client->close();
        } else if (datagrams) {
            client_ = {client->remote().address, 0};
            co_await write(*client, std::move(reply));
            co_await read(*client, 1);
        } else {
            auto const to = co_await find(resolver_, socks5::parse_reply(request).value());
            std::shared_ptr<StreamSocket> const far = co_await host_.connector().connect(to, std::chrono::seconds(5));
            streams_.push_back(far);
            co_await write(*client, std::move(reply));
            tasks_.spawn(pump(far, client));
            co_await pump(client, far);
        }
    } catch (system_error const& e) {
        client->close();
        if (e.code() == asio::error::operation_aborted) throw;
    }
}

asio::awaitable<void> SimulatedProxy::pump(std::shared_ptr<StreamSocket> from, std::shared_ptr<StreamSocket> to) {
    try {
        std::vector<std::byte> bytes(kPumpBytes);
        for (;;) {
            auto const buffer = asio::buffer(bytes);
            auto const count = co_await from->read_some(buffer);
            co_await write(*to,
                           std::vector<std::byte>(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)));
        }
    } catch (system_error const& e) {
        to->close();
        if (e.code() == asio::error::operation_aborted) throw;
    }
}

bool SimulatedProxy::datagram(Endpoint const& from, std::span<std::byte const> bytes) {
    if (from.address == client_.address) {
        client_.port = from.port;
        ++relayed;
        tasks_.spawn(relay(std::vector<std::byte>(bytes.begin(), bytes.end())));
    } else if (client_.port != 0) {
        auto out = socks5::encode_datagram_head(ProxyTarget{{}, from.address, from.port});
        out.insert(out.end(), bytes.begin(), bytes.end());
        host_.udp().send(client_, out);
    }
    return true;
}

asio::awaitable<void> SimulatedProxy::relay(std::vector<std::byte> datagram) {
    auto const parsed = socks5::parse_datagram(datagram);
    if (!parsed) co_return;
    auto const to = co_await find(resolver_, parsed->from);
    host_.udp().send(to, parsed->bytes);
}

}  // namespace rqfs::tests
