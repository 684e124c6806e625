#pragma once

#include "tests/support/test_certificates.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {
class TaskGroup;
}

namespace rqfs::tests {

// A tracker on loopback that answers HTTP, HTTPS or UDP exactly as it is told, lies included. Runs on the test's
// engine; stop() before destroying.
class FakeTracker {
public:
    // The bytes of a whole answer, sent in parts with pauses between them; then the connection is closed, or held open
    // in silence.
    struct Answer {
        std::vector<std::string> parts;
        std::chrono::milliseconds pause{0};
        bool hold_open = false;
    };
    using Http = std::function<Answer(std::string const& target)>;
    using Udp = std::function<std::vector<std::string>(std::string const& datagram)>;  // datagrams to answer with

    // `address` is 127.0.0.1 or ::1.
    explicit FakeTracker(boost::asio::any_io_executor executor, std::string const& address = "127.0.0.1");
    ~FakeTracker();

    void use_tls(Certificate const& certificate);  // before the first connection
    void answer_http(Http script);
    void answer_udp(Udp script);
    boost::asio::awaitable<void> stop();

    std::string http_url(std::string const& path = "/announce") const;
    std::string https_url(std::string const& host, std::string const& path = "/announce") const;
    std::string udp_url() const;
    std::uint16_t port() const;
    std::vector<std::string> const& targets() const { return targets_; }  // of the requests that came
    std::vector<std::string> const& headers() const { return headers_; }  // whole request heads
    std::vector<std::string> const& datagrams() const { return datagrams_; }
    std::size_t connections() const { return connections_; }

    // An honest HTTP answer around a body.
    static Answer ok(std::string const& body, std::string const& more_headers = "");
    static Answer redirect(std::string const& location, int status = 302);
    // An announce reply with one compact IPv4 peer.
    static std::string announce_body(int interval = 1800);

    // An honest UDP tracker: connects, and answers announces and scrapes; the peers are compact.
    static Udp honest_udp(std::uint32_t interval, std::string peers);

private:
    struct Tls;

    boost::asio::awaitable<void> accept();
    boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);
    template <class Stream>
    boost::asio::awaitable<void> serve_stream(Stream& stream);
    boost::asio::awaitable<void> receive();

    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::ip::udp::socket udp_;
    std::unique_ptr<Tls> tls_;
    Http http_script_;
    Udp udp_script_;
    std::vector<std::string> targets_, headers_, datagrams_;
    std::size_t connections_ = 0;
    std::unique_ptr<torrent::TaskGroup> tasks_;
};

}  // namespace rqfs::tests
