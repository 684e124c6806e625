#include "tools/rqfsctl/client.h"

#include "tools/control/json_text.h"
#include "tools/control/protocol.h"
#include "tools/rqfsctl/failure.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>

namespace rqfs::tools {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace json = boost::json;
using asio::local::stream_protocol;
using boost::system::error_code;

namespace {

// Adding by URL waits for a stranger's server, at most 30 s and five redirects; a daemon that says nothing for longer
// is stuck.
constexpr std::chrono::seconds kAnswerTime{180};

using Stream = beast::basic_stream<stream_protocol, asio::any_io_executor>;

}  // namespace

struct Client::Exchange {
    http::verb method;
    std::string target;
    std::string content_type;
    std::string body;
};

struct Client::Connection {
    asio::io_context loop{1};
    Stream stream{loop.get_executor()};
    beast::flat_buffer buffer;
    int process_id = 0;

    // Runs the loop until the operation that was just started has ended; false: it has not within this time.
    bool finish_within(std::chrono::milliseconds time) {
        loop.restart();
        loop.run_for(time);
        return loop.stopped();
    }
};

Client::Client(std::string socket_path, std::chrono::milliseconds patience)
    : socket_path_(std::move(socket_path)), patience_(patience) {}
Client::~Client() = default;

int Client::process_id() const { return connection_ ? connection_->process_id : 0; }

json::value Client::get(std::string const& target) { return exchange({http::verb::get, target, {}, {}}); }
json::value Client::remove(std::string const& target) { return exchange({http::verb::delete_, target, {}, {}}); }

json::value Client::post(std::string const& target, json::value const& body) {
    return exchange({http::verb::post, target, "application/json", json_text(body)});
}

json::value Client::patch(std::string const& target, json::value const& body) {
    return exchange({http::verb::patch, target, "application/json", json_text(body)});
}

json::value Client::upload(std::string const& target, std::string content_type, std::string body) {
    return exchange({http::verb::post, target, std::move(content_type), std::move(body)});
}

void Client::connect() {
    if (socket_path_.size() >= sizeof(sockaddr_un::sun_path))
        throw Failure("the path of the control socket is too long: " + socket_path_, kExitUsage);
    auto connection = std::make_unique<Connection>();
    error_code code;
    connection->stream.socket().connect(stream_protocol::endpoint(socket_path_), code);
    if (code == boost::system::errc::no_such_file_or_directory || code == boost::system::errc::connection_refused ||
        code == boost::system::errc::not_a_directory)
        throw Failure("no daemon answers at " + socket_path_ + "; is rqfs running? (--socket says where)",
                      kExitNoDaemon);
    if (code) throw Failure("the control socket " + socket_path_ + " cannot be reached: " + code.message());
    ucred peer{};
    socklen_t size = sizeof(peer);
    if (getsockopt(connection->stream.socket().native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
        connection->process_id = peer.pid;
    connection_ = std::move(connection);
}

void Client::finish() {
    if (connection_->finish_within(patience_)) return;
    bool const works = !is_probe_ && answers_others();
    if (works && connection_->finish_within(kAnswerTime)) return;
    auto const process = std::to_string(process_id());
    connection_.reset();  // while that is there to which the operation would write
    throw Failure("the daemon at " + socket_path_ + " does not answer: its process " + process +
                      " is stopped or hangs; let it go on (kill -CONT " + process + "), or end it (kill -9 " + process +
                      ") and start rqfs again",
                  kExitNoDaemon);
}

bool Client::answers_others() const {
    Client other(socket_path_, patience_);
    other.is_probe_ = true;
    try {
        other.get("/v1/status");
    } catch (Failure const&) {
        return false;
    }
    return true;
}

json::value Client::exchange(Exchange request) {
    // The daemon closes connections that rest for some seconds: a request that met one is sent again on a new one.
    bool const may_be_stale = connection_ != nullptr;
    if (!connection_) connect();
    http::request<http::string_body> message(request.method, request.target, 11);
    message.set(http::field::host, "rqfs");
    if (!request.content_type.empty()) message.set(http::field::content_type, request.content_type);
    message.body() = request.body;
    message.prepare_payload();

    error_code write_code;
    http::async_write(connection_->stream, message, [&](error_code code, std::size_t) { write_code = code; });
    finish();

    // Also after a failed write: a daemon that refuses a body answers without reading all of it.
    http::response_parser<http::string_body> parser;
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    error_code read_code;
    http::async_read(connection_->stream, connection_->buffer, parser,
                     [&](error_code code, std::size_t) { read_code = code; });
    finish();
    if (read_code) {
        connection_.reset();
        if (may_be_stale && (read_code == http::error::end_of_stream || write_code))
            return exchange(std::move(request));
        throw Failure("the daemon went away: " + read_code.message(), kExitNoDaemon);
    }
    auto const answer = parser.release();
    auto document = parse_json(answer.body());
    if (!document) throw Failure("the daemon's answer is malformed: " + document.error().what);
    if (!answer.keep_alive()) connection_.reset();
    if (answer.result_int() < 300) return std::move(*document);
    auto const failure = error_from_json(*document);
    throw Failure(failure ? failure->message : "the daemon refused: " + std::to_string(answer.result_int()));
}

}  // namespace rqfs::tools
