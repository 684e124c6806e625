#pragma once

#include "tools/rqfs/control_api.h"
#include "torrent/clock.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/error_code.hpp>

#include <functional>

namespace rqfs::tools {

// One client of the control socket: reads requests one after the other and writes their replies. Owned by
// ControlServer; engine thread only.
class ControlConnection {
public:
    using Socket = boost::asio::local::stream_protocol::socket;
    using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

    ControlConnection(Socket socket, torrent::Clock& clock, ControlApi& api, std::function<void()> stop_daemon);

    // Ends when the client goes, breaks the protocol or a time limit; throws only when cancelled.
    boost::asio::awaitable<void> run();

    // Waiting for the client, not the client for us: such a connection may be dropped for a new one.
    bool idle() const { return idle_; }
    bool open() const { return socket_.is_open(); }
    void close();

private:
    boost::asio::awaitable<void> serve();
    boost::asio::awaitable<bool> exchange();  // whether another request may follow
    boost::asio::awaitable<bool> read(Parser& parser, ApiRequest& request);
    boost::asio::awaitable<bool> refuse(bool in_time, boost::system::error_code code);
    boost::asio::awaitable<bool> write(ApiReply reply, bool keep_alive, bool head_only);

    Socket socket_;
    torrent::Clock& clock_;
    ControlApi& api_;
    std::function<void()> stop_daemon_;
    boost::beast::flat_buffer buffer_;
    bool idle_ = true;
};

}  // namespace rqfs::tools
