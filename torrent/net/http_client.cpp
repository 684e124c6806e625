#include "torrent/net/http_client.h"

#include "torrent/error.h"
#include "torrent/net/address_policy.h"
#include "torrent/net/base64.h"
#include "torrent/net/happy_eyeballs.h"
#include "torrent/net/tls.h"
#include "torrent/settings.h"
#include "torrent/timeout.h"

#include <zlib.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/optional.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using boost::system::system_error;

namespace {

constexpr std::size_t kReceiveBytes = 16u << 10;
constexpr std::uint32_t kInformationalReplies = 8;  // "100 Continue" and the like before the answer

// A message's body as Beast wants to be told about it: bytes in a vector.
struct BytesBody {
    using value_type = std::vector<std::byte>;
    class reader {
    public:
        template <bool IsRequest, class Fields>
        reader(http::header<IsRequest, Fields>&, value_type& body) : body_(body) {}
        // The promised length is under the limit, or the parser had refused it; memory grows with what really comes.
        void init(boost::optional<std::uint64_t> const&, error_code& code) { code = {}; }
        template <class Buffers>
        std::size_t put(Buffers const& buffers, error_code& code) {
            code = {};
            std::size_t size = 0;
            for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers); ++it) {
                asio::const_buffer const part(*it);
                auto const* const bytes = static_cast<std::byte const*>(part.data());
                body_.insert(body_.end(), bytes, bytes + part.size());
                size += part.size();
            }
            return size;
        }
        void finish(error_code& code) { code = {}; }

    private:
        value_type& body_;
    };
};
using Parser = http::response_parser<BytesBody>;

// At most max_bytes of what the gzip (or zlib) data holds.
std::vector<std::byte> inflate_bounded(std::span<std::byte const> data, std::size_t max_bytes,
                                       std::string const& host) {
    z_stream stream{};
    if (inflateInit2(&stream, 32 + MAX_WBITS) != Z_OK) throw_error(Errc::io, "gzip cannot be set up");
    std::unique_ptr<z_stream, decltype(&inflateEnd)> const end(&stream, &inflateEnd);
    std::vector<std::byte> out;
    // zlib does not write to its input; its interface predates const.
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<Bytef const*>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    for (int result = Z_OK; result != Z_STREAM_END;) {
        auto const before = out.size();
        out.resize(std::min(before + (64u << 10), max_bytes + 1));
        stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
        stream.avail_out = static_cast<uInt>(out.size() - before);
        result = inflate(&stream, Z_NO_FLUSH);
        out.resize(out.size() - stream.avail_out);
        if (out.size() > max_bytes)
            throw_error(Errc::too_large,
                        host + " sent gzip data that unpack to more than " + std::to_string(max_bytes) + " bytes");
        if (result != Z_OK && result != Z_STREAM_END) throw_error(Errc::malformed, host + " sent damaged gzip data");
    }
    return out;
}

std::string request_text(HttpClient::Request const& request, std::string const& program) {
    auto const& url = request.url;
    std::string text = (request.post ? "POST " : "GET ") + url.target + " HTTP/1.1\r\nHost: " + url.authority() +
                       "\r\nUser-Agent: " + program +
                       "\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nConnection: close\r\n";
    if (!url.user_info.empty())
        if (auto const decoded = percent_decode(url.user_info))
            text += "Authorization: Basic " + base64(*decoded) + "\r\n";
    text += request.headers;
    if (request.post) text += "Content-Length: " + std::to_string(request.post->size()) + "\r\n";
    return text + "\r\n" + request.post.value_or("");
}

[[noreturn]] void throw_bad_answer(error_code const& code, std::string const& host) {
    if (code == http::error::body_limit || code == http::error::header_limit || code == http::error::buffer_overflow)
        throw_error(Errc::too_large, host + " sent a longer answer than is allowed");
    if (code == http::error::partial_message || code == http::error::end_of_stream)
        throw_error(Errc::closed, host + " ended the connection in the middle of its answer");
    throw_error(Errc::malformed, host + " sent something that is not HTTP: " + code.message());
}

// Reads one answer from a stream, whatever its framing.
class AnswerReader {
public:
    AnswerReader(StreamSocket& stream, std::size_t max_body_bytes, std::string host)
        : stream_(stream),
          max_body_bytes_(max_body_bytes),
          // One byte to a chunk costs six; nobody honest doubles what he sends.
          bytes_left_(limit::kHttpHeaderBytes + 2 * max_body_bytes + (64u << 10)),
          host_(std::move(host)) {}

    asio::awaitable<http::response<BytesBody>> read() {
        for (std::uint32_t i = 0; i < kInformationalReplies; ++i) {
            Parser parser;
            parser.eager(true);
            parser.header_limit(limit::kHttpHeaderBytes);
            parser.body_limit(max_body_bytes_);
            co_await read_one(parser);
            if (parser.get().result_int() / 100 != 1) co_return parser.release();
        }
        throw_error(Errc::malformed, host_ + " sends no final answer");
    }

private:
    asio::awaitable<void> read_one(Parser& parser) {
        while (!parser.is_done()) {
            error_code code;
            auto const used = buffer_.size() == 0 ? 0 : parser.put(buffer_.data(), code);
            buffer_.consume(used);
            if (code == http::error::need_more) code = {};
            if (code) throw_bad_answer(code, host_);
            if (used > 0 && buffer_.size() > 0) continue;
            if (parser.is_done()) break;
            if (co_await receive()) continue;
            if (!parser.got_some()) throw_error(Errc::closed, host_ + " ended the connection without an answer");
            parser.put_eof(code);
            if (code) throw_bad_answer(code, host_);
            break;
        }
        if (!parser.is_done()) throw_error(Errc::closed, host_ + " ended the connection in the middle of its answer");
    }

    // False at the end of the stream.
    asio::awaitable<bool> receive() {
        auto const room = std::min(kReceiveBytes, bytes_left_);
        if (room == 0 || buffer_.size() > limit::kHttpHeaderBytes)
            throw_error(Errc::too_large, host_ + " sent a longer answer than is allowed");
        auto const into = buffer_.prepare(room);
        error_code code;
        try {
            auto const count = co_await stream_.read_some(into);
            buffer_.commit(count);
            bytes_left_ -= count;
            co_return true;
        } catch (system_error const& e) {
            if (e.code() == asio::error::operation_aborted || e.code().category() == torrent_category()) throw;
            code = e.code();
        }
        if (code == asio::error::eof) co_return false;
        throw_error(Errc::closed, host_ + " broke the connection: " + code.message());
    }

    StreamSocket& stream_;
    std::size_t max_body_bytes_;
    std::size_t bytes_left_;
    std::string host_;
    boost::beast::flat_buffer buffer_;
};

bool is_redirect(unsigned status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// A user's word covers the server that he named, and the same one over TLS.
bool same_server(Url const& from, Url const& to) {
    return from.host == to.host && (from.port == to.port || (from.port == 80 && to.port == 443));
}

Url redirected(Url const& from, std::string const& location) {
    auto const to = from.resolve(location);
    if (!to) throw_error(to.error().code, from.host + " redirects to a place we cannot follow: " + to.error().what);
    if (to->scheme == "udp") throw_error(Errc::unsupported, from.host + " redirects away from HTTP");
    if (from.scheme == "https" && to->scheme == "http")
        throw_error(Errc::not_allowed, from.host + " redirects from https to http");
    return *to;
}

}  // namespace

struct HttpClient::Answer {
    Response response;
    std::string location;
};

HttpClient::HttpClient(Clock& clock, Connector& connector, Resolver& resolver, bool test_network)
    : clock_(clock), connector_(connector), resolver_(resolver), test_network_(test_network) {}

HttpClient::~HttpClient() = default;

TlsContext& HttpClient::tls() {
    if (!tls_) tls_ = std::make_unique<TlsContext>();
    return *tls_;
}

void HttpClient::add_ca_file(std::string const& path) { tls().add_ca_file(path); }

asio::awaitable<HttpClient::Response> HttpClient::get(Request request) {
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(request.time).count();
    auto what = request.url.host + " did not answer within " + std::to_string(seconds) + " seconds";
    auto const time = request.time;
    auto following = follow(std::move(request));
    co_return co_await with_timeout(clock_, std::move(following), time, std::move(what));
}

asio::awaitable<HttpClient::Response> HttpClient::follow(Request request) {
    auto const first = request.url.host;
    for (std::uint32_t hop = 0; hop <= limit::kRedirects; ++hop) {
        std::string failure;
        try {
            auto answer = co_await exchange(request);
            if (!request.redirects || !is_redirect(answer.response.status) || answer.location.empty())
                co_return std::move(answer.response);
            auto next = redirected(request.url, answer.location);
            request.trusted = request.trusted && same_server(request.url, next);
            request.url = std::move(next);
            continue;
        } catch (system_error const& e) {
            // Of a server that was reached, whatever it sent us on to: an answer, not an outage.
            if (hop == 0 || e.code() == asio::error::operation_aborted || e.code().category() == torrent_category())
                throw;
            failure = sentence(e);
        }
        throw_error(Errc::refused, first + " sent us on to " + request.url.host + ": " + failure);
    }
    throw_error(Errc::refused, first + " redirects more than " + std::to_string(limit::kRedirects) + " times");
}

asio::awaitable<HttpClient::Answer> HttpClient::exchange(Request const& request) {
    auto stream = co_await connect(request);
    auto const text = request_text(request, program_);
    std::array<asio::const_buffer, 1> const one{asio::buffer(text)};
    std::span<asio::const_buffer const> const view(one);
    error_code broken;
    try {
        co_await stream->write(view);
    } catch (system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        broken = e.code();
    }
    if (broken) throw_error(Errc::closed, request.url.host + " broke the connection: " + broken.message());
    AnswerReader reader(*stream, request.max_body_bytes, request.url.host);
    auto message = co_await reader.read();
    Answer answer;
    answer.response.from = stream->remote().address;
    stream->close();
    answer.response.status = message.result_int();
    answer.response.url = request.url;
    answer.location = std::string(message[http::field::location]);
    answer.response.body = std::move(message.body());
    auto const coding = message[http::field::content_encoding];
    if (coding == "gzip" || coding == "x-gzip" || coding == "deflate")
        answer.response.body = inflate_bounded(answer.response.body, request.max_body_bytes, request.url.host);
    else if (!coding.empty() && coding != "identity")
        throw_error(Errc::unsupported, request.url.host + " answers in an encoding we did not ask for");
    co_return answer;
}

asio::awaitable<std::vector<Address>> HttpClient::vetted_addresses(Request const& request) {
    auto addresses = co_await resolver_.resolve(request.url.host);
    if (request.want_v6)
        std::erase_if(addresses, [&](auto const& address) { return address.is_v6() != *request.want_v6; });
    if (addresses.empty())
        throw system_error(asio::error::host_not_found,
                           request.url.host + " has no " + (*request.want_v6 ? "IPv6" : "IPv4") + " address");
    if (request.trusted) co_return addresses;
    auto const local = addresses.front();
    std::erase_if(addresses, [&](auto const& address) {
        return !resolver_.stands_for_name(address) && !may_fetch_from(address, test_network_);
    });
    if (addresses.empty())
        throw_error(Errc::not_allowed,
                    request.url.host + " is at " + local.text() + ", where only the user himself may send us");
    co_return addresses;
}

asio::awaitable<std::unique_ptr<StreamSocket>> HttpClient::connect(Request const& request) {
    std::vector<Endpoint> endpoints;
    for (auto const& address : co_await vetted_addresses(request)) endpoints.push_back({address, request.url.port});
    auto connecting = connect_to_any(clock_, connector_, in_dialling_order(endpoints), limit::kConnectTimeout);
    auto stream = co_await std::move(connecting);
    if (request.url.scheme == "http") co_return stream;
    error_code broken;
    try {
        auto secure = tls_connect(tls(), std::move(stream), request.url.host);
        co_return co_await std::move(secure);
    } catch (system_error const& e) {
        if (e.code() == asio::error::operation_aborted || e.code().category() == torrent_category()) throw;
        broken = e.code();
    }
    throw_error(Errc::closed, request.url.host + " broke the connection during the TLS handshake: " + broken.message());
}

}  // namespace rqfs::torrent
