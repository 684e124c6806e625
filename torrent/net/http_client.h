#pragma once

#include "torrent/clock.h"
#include "torrent/endpoint.h"
#include "torrent/net/connector.h"
#include "torrent/net/resolver.h"
#include "torrent/net/stream_socket.h"
#include "torrent/net/url.h"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::torrent {

class TlsContext;

// GET for trackers and torrent files, POST for routers: http and https (certificates verified), redirects followed and vetted anew, gzip
// undone, sizes bounded. The address that was vetted is the one connected to. Throws system_error with a sentence; the
// whole exchange ends within `time`. Codes outside torrent_category() mean that the server named in the request was not
// reached.
class HttpClient {
public:
    struct Request {
        Url url;
        std::size_t max_body_bytes;  // after gzip
        Duration time;
        bool trusted = false;  // the user gave the URL: local addresses are allowed (a redirect away from it is vetted)
        std::optional<bool> want_v6;  // only addresses of this family
        bool redirects = true;        // followed, or given as the answer
        std::string headers{};        // further ones, each with its line's end
        std::optional<std::string> post{};  // the body; none: GET
    };
    struct Response {
        unsigned status = 0;
        std::vector<std::byte> body;
        Url url;       // after redirects
        Address from;  // who answered
    };

    // All outlive it.
    HttpClient(Clock& clock, Connector& connector, Resolver& resolver, bool test_network);
    ~HttpClient();

    boost::asio::awaitable<Response> get(Request request);

    // Names no program to servers, but one that many are and that servers know: the same as libtorrent does when it is
    // to be anonymous. Without any name some turn us away.
    void hide_program() { program_ = "curl/7.81.0"; }

    // Trusts the certificate authorities in this PEM file beside the machine's.
    void add_ca_file(std::string const& path);

private:
    struct Answer;

    boost::asio::awaitable<Response> follow(Request request);
    boost::asio::awaitable<Answer> exchange(Request const& request);
    boost::asio::awaitable<std::unique_ptr<StreamSocket>> connect(Request const& request);
    boost::asio::awaitable<std::vector<Address>> vetted_addresses(Request const& request);
    TlsContext& tls();

    Clock& clock_;
    Connector& connector_;
    Resolver& resolver_;
    bool test_network_;
    std::string program_ = "rqfs/" RQFS_VERSION;
    std::unique_ptr<TlsContext> tls_;  // made when first needed: it reads files
};

}  // namespace rqfs::torrent
