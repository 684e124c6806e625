#include "tests/support/fake_tracker.h"

#include "torrent/task_group.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <utility>

namespace rqfs::tests {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

std::string shown(asio::ip::address const& address) {
    return address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
}

std::string big_endian(std::uint64_t value, int bytes) {
    std::string out;
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
    return out;
}

// Both protocols at one port, as trackers like it.
asio::ip::udp::socket bind_udp(asio::ip::tcp::acceptor& acceptor, asio::any_io_executor const& executor,
                               asio::ip::address const& address) {
    for (;;) {
        asio::ip::udp::socket socket(executor, asio::ip::udp::endpoint(address, 0).protocol());
        error_code code;
        socket.bind({address, acceptor.local_endpoint().port()}, code);
        if (!code) return socket;
        acceptor = asio::ip::tcp::acceptor(executor, {address, 0});
    }
}

}  // namespace

struct FakeTracker::Tls {
    asio::ssl::context context{asio::ssl::context::tls_server};
};

FakeTracker::FakeTracker(asio::any_io_executor executor, std::string const& address)
    : acceptor_(executor, asio::ip::tcp::endpoint(asio::ip::make_address(address), 0)),
      udp_(bind_udp(acceptor_, executor, asio::ip::make_address(address))),
      tasks_(std::make_unique<torrent::TaskGroup>(executor, "fake tracker")) {
    http_script_ = [](std::string const&) { return ok(announce_body()); };
    udp_script_ = [](std::string const&) { return std::vector<std::string>(); };
    tasks_->spawn(accept());
    tasks_->spawn(receive());
}

FakeTracker::~FakeTracker() = default;

void FakeTracker::use_tls(Certificate const& certificate) {
    tls_ = std::make_unique<Tls>();
    tls_->context.use_certificate_chain(asio::buffer(certificate.certificate));
    tls_->context.use_private_key(asio::buffer(certificate.key), asio::ssl::context::pem);
}

void FakeTracker::answer_http(Http script) { http_script_ = std::move(script); }
void FakeTracker::answer_udp(Udp script) { udp_script_ = std::move(script); }

asio::awaitable<void> FakeTracker::stop() {
    error_code ignored;
    acceptor_.close(ignored);
    udp_.close(ignored);
    co_await tasks_->stop();
}

std::uint16_t FakeTracker::port() const { return udp_.local_endpoint().port(); }

std::string FakeTracker::http_url(std::string const& path) const {
    return "http://" + shown(udp_.local_endpoint().address()) + ":" + std::to_string(port()) + path;
}

std::string FakeTracker::https_url(std::string const& host, std::string const& path) const {
    return "https://" + host + ":" + std::to_string(port()) + path;
}

std::string FakeTracker::udp_url() const {
    return "udp://" + shown(udp_.local_endpoint().address()) + ":" + std::to_string(port()) + "/announce";
}

asio::awaitable<void> FakeTracker::accept() {
    for (;;) {
        auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
        ++connections_;
        tasks_->spawn(serve(std::move(socket)));
    }
}

asio::awaitable<void> FakeTracker::serve(asio::ip::tcp::socket socket) {
    try {
        if (!tls_) {
            co_await serve_stream(socket);
        } else {
            asio::ssl::stream<asio::ip::tcp::socket&> stream(socket, tls_->context);
            co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
            co_await serve_stream(stream);
        }
    } catch (boost::system::system_error const&) {
        // The other side left, which is its right.
    }
}

template <class Stream>
asio::awaitable<void> FakeTracker::serve_stream(Stream& stream) {
    std::string head;
    auto buffer = asio::dynamic_buffer(head, 1 << 20);
    co_await asio::async_read_until(stream, buffer, "\r\n\r\n", asio::use_awaitable);
    headers_.push_back(head);
    auto const begin = head.find(' ') + 1;
    targets_.push_back(head.substr(begin, head.find(' ', begin) - begin));
    auto const answer = http_script_(targets_.back());
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (auto const& part : answer.parts) {
        auto const bytes = asio::buffer(part);
        co_await asio::async_write(stream, bytes, asio::use_awaitable);
        if (answer.pause.count() == 0) continue;
        timer.expires_after(answer.pause);
        co_await timer.async_wait(asio::use_awaitable);
    }
    if (!answer.hold_open) co_return;
    timer.expires_at(asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> FakeTracker::receive() {
    std::array<char, 2048> room{};
    for (;;) {
        asio::ip::udp::endpoint from;
        auto const buffer = asio::buffer(room);
        auto const count = co_await udp_.async_receive_from(buffer, from, asio::use_awaitable);
        datagrams_.emplace_back(room.data(), count);
        for (auto const& reply : udp_script_(datagrams_.back())) udp_.send_to(asio::buffer(reply), from);
    }
}

FakeTracker::Answer FakeTracker::ok(std::string const& body, std::string const& more_headers) {
    return {
        {"HTTP/1.1 200 OK\r\n" + more_headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body},
        {},
        false};
}

FakeTracker::Answer FakeTracker::redirect(std::string const& location, int status) {
    return {{"HTTP/1.1 " + std::to_string(status) + " Elsewhere\r\nLocation: " + location +
             "\r\nContent-Length: 0\r\n\r\n"},
            {},
            false};
}

std::string FakeTracker::announce_body(int interval) {
    return "d8:completei1e10:incompletei2e8:intervali" + std::to_string(interval) +
           "e5:peers6:" + std::string("\x05\x06\x07\x08\x1a\xe1", 6) + "e";
}

FakeTracker::Udp FakeTracker::honest_udp(std::uint32_t interval, std::string peers) {
    return [interval, peers = std::move(peers)](std::string const& datagram) {
        std::vector<std::string> replies;
        if (datagram.size() < 16) return replies;
        auto const action = datagram.substr(8, 4);
        auto const transaction = datagram.substr(12, 4);
        if (action == big_endian(0, 4)) replies.push_back(action + transaction + big_endian(0x1122334455667788, 8));
        if (action == big_endian(1, 4))
            replies.push_back(action + transaction + big_endian(interval, 4) + big_endian(2, 4) + big_endian(1, 4) +
                              peers);
        if (action == big_endian(2, 4))
            replies.push_back(action + transaction + big_endian(1, 4) + big_endian(7, 4) + big_endian(2, 4));
        return replies;
    };
}

}  // namespace rqfs::tests
