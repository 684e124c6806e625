#pragma once

#include "torrent/clock.h"
#include "torrent/endpoint.h"
#include "torrent/net/resolver.h"
#include "torrent/net/url.h"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace rqfs::torrent {

// GET for trackers and torrent files: http and https (certificates verified), redirects followed and vetted anew, gzip undone, sizes bounded. The address
// that was vetted is the one connected to. Throws system_error with a sentence; the whole exchange ends within `time`.
class HttpClient {
public:
    struct Request {
        Url url;
        std::size_t max_body_bytes;      // after gzip
        Duration time;
        bool trusted = false;            // the user gave the URL: local addresses are allowed (a redirect away from it is vetted)
        std::optional<bool> want_v6;     // only addresses of this family
    };
    struct Response {
        unsigned status = 0;
        std::vector<std::byte> body;
        Url url;                         // after redirects
    };

    HttpClient(Clock& clock, Resolver& resolver, bool test_network);

    boost::asio::awaitable<Response> get(Request request);

private:
    Clock& clock_;
    Resolver& resolver_;
    bool test_network_;
};

}  // namespace rqfs::torrent
