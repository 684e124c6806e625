#include "tools/rqfs/control_connection.h"

#include "tools/control/json_text.h"
#include "tools/rqfs/control_limits.h"
#include "torrent/timeout.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace rqfs::tools {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using torrent::Errc;

namespace {

using Parser = ControlConnection::Parser;
using Socket = ControlConnection::Socket;
using boost::system::error_code;

// As functions with references, so that what they wait for lives in the caller's frame.
asio::awaitable<void> read_header(Socket& socket, boost::beast::flat_buffer& buffer, Parser& parser, error_code& code) {
    co_await http::async_read_header(socket, buffer, parser, asio::redirect_error(asio::use_awaitable, code));
}

asio::awaitable<void> read_body(Socket& socket, boost::beast::flat_buffer& buffer, Parser& parser, error_code& code) {
    co_await http::async_read(socket, buffer, parser, asio::redirect_error(asio::use_awaitable, code));
}

asio::awaitable<void> write_message(Socket& socket, http::response<http::string_body>& message, error_code& code) {
    co_await http::async_write(socket, message, asio::redirect_error(asio::use_awaitable, code));
}

// curl asks before it sends a large body, and waits a second for the answer.
asio::awaitable<void> write_continue(Socket& socket, error_code& code) {
    static std::string const text = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await asio::async_write(socket, asio::buffer(text), asio::redirect_error(asio::use_awaitable, code));
}

// Runs a step within its time; false when the time is over. Cancellation is thrown on.
asio::awaitable<bool> in_time(torrent::Clock& clock, asio::awaitable<void> step, torrent::Duration limit) {
    try {
        co_await torrent::with_timeout(clock, std::move(step), limit, "too slow");
    } catch (boost::system::system_error const& failure) {
        if (failure.code() != torrent::make_error_code(Errc::timed_out)) throw;
        co_return false;
    }
    co_return true;
}

ApiReply refusal(unsigned status, std::string kind, std::string message) {
    ErrorReply const error{status, std::move(kind), std::move(message), {}};
    return {status, to_json(error), {}, false};
}

// What to answer to a request that breaks HTTP or a limit; nothing when the client is just gone.
bool describe(error_code const& code, ApiReply& reply) {
    if (code == http::error::header_limit) {
        reply = refusal(431, "too_large",
                        "the request's header is over " + std::to_string(limit::kControlHeaderBytes >> 10) + " KiB");
    } else if (code == http::error::body_limit) {
        reply = refusal(413, "too_large", "the request's body is over its limit");
    } else if (code.category() == http::make_error_code(http::error::end_of_stream).category() &&
               code != http::error::end_of_stream && code != http::error::partial_message) {
        reply = refusal(400, "malformed", "the request is not valid HTTP: " + code.message());
    } else {
        return false;
    }
    return true;
}

std::string media_type(Parser const& parser) {
    auto const value = parser.get()[http::field::content_type];
    std::string type(value.data(), value.size());
    type.resize(std::min(type.size(), type.find_first_of("; \t")));
    for (char& c : type)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return type;
}

}  // namespace

ControlConnection::ControlConnection(Socket socket, torrent::Clock& clock, ControlApi& api,
                                     std::function<void()> stop_daemon)
    : socket_(std::move(socket)), clock_(clock), api_(api), stop_daemon_(std::move(stop_daemon)) {}

void ControlConnection::close() {
    error_code ignored;
    socket_.close(ignored);
}

asio::awaitable<void> ControlConnection::run() {
    co_await serve();
    error_code ignored;
    socket_.shutdown(Socket::shutdown_both, ignored);
    close();
}

asio::awaitable<void> ControlConnection::serve() {
    while (socket_.is_open()) {
        idle_ = true;
        bool const more = co_await exchange();
        if (!more) co_return;
    }
}

// Reads one request; false when nothing more is to be said to this client.
asio::awaitable<bool> ControlConnection::read(Parser& parser, ApiRequest& request) {
    error_code code;
    bool in = co_await in_time(clock_, read_header(socket_, buffer_, parser, code), limit::kControlHeaderTime);
    if (!in || code) co_return co_await refuse(in, code);
    auto const& head = parser.get();
    request.method = std::string(head.method_string());
    request.content_type = media_type(parser);
    auto target = RequestTarget::parse(std::string_view(head.target().data(), head.target().size()));
    if (target) request.target = std::move(*target);
    bool const upload = ControlApi::takes_torrent_file(request.method, request.target, request.content_type);
    auto const body_limit = upload ? limit::kControlUploadBytes : limit::kControlBodyBytes;
    if (parser.content_length().value_or(0) > body_limit) {
        code = http::error::body_limit;
        co_return co_await refuse(true, code);
    }
    parser.body_limit(body_limit);
    if (boost::beast::iequals(head[http::field::expect], "100-continue")) co_await write_continue(socket_, code);
    if (!code) in = co_await in_time(clock_, read_body(socket_, buffer_, parser, code), limit::kControlBodyTime);
    if (!in || code) co_return co_await refuse(in, code);
    if (!target) {
        auto reply = refusal(400, "malformed", target.error().what);
        co_return co_await write(std::move(reply), false, false);
    }
    request.body = std::move(parser.get().body());
    co_return true;
}

asio::awaitable<bool> ControlConnection::refuse(bool in_time, error_code code) {
    ApiReply reply;
    if (in_time && describe(code, reply)) co_await write(std::move(reply), false, false);
    co_return false;
}

asio::awaitable<bool> ControlConnection::exchange() {
    auto const parser = std::make_unique<Parser>();
    parser->header_limit(limit::kControlHeaderBytes);
    parser->body_limit(limit::kControlUploadBytes);
    ApiRequest request;
    bool const complete = co_await read(*parser, request);
    if (!complete) co_return false;
    idle_ = false;
    bool const keep_alive = parser->get().keep_alive();
    bool const head_only = request.method == "HEAD";
    auto reply = co_await api_.handle(std::move(request));
    co_return co_await write(std::move(reply), keep_alive, head_only);
}

asio::awaitable<bool> ControlConnection::write(ApiReply reply, bool keep_alive, bool head_only) {
    auto const message = std::make_unique<http::response<http::string_body>>();
    message->version(11);
    message->result(reply.status);
    message->set(http::field::content_type, "application/json");
    message->set(http::field::cache_control, "no-store");
    if (!reply.allow.empty()) message->set(http::field::allow, reply.allow);
    if (!head_only) message->body() = json_text(reply.body) + "\n";
    message->keep_alive(keep_alive);
    message->prepare_payload();
    error_code code;
    bool const in = co_await in_time(clock_, write_message(socket_, *message, code), limit::kControlWriteTime);
    if (reply.then_stop) stop_daemon_();
    co_return in && !code && keep_alive;
}

}  // namespace rqfs::tools
