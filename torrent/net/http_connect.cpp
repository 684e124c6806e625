#include "torrent/net/http_connect.h"

#include "torrent/net/base64.h"
#include "torrent/net/proxy_error.h"

#include <algorithm>

namespace rqfs::torrent {

namespace {

// "HTTP/1.x NNN", then a blank, or the end of the line where a proxy has no words for it.
std::optional<unsigned> status_of(std::string_view head) {
    constexpr std::string_view version = "HTTP/1.";
    constexpr std::size_t status_at = 9;
    constexpr std::size_t status_end = status_at + 3;
    if (!head.starts_with(version) || head.size() <= status_end) return std::nullopt;
    if ((head[7] != '0' && head[7] != '1') || head[8] != ' ') return std::nullopt;
    unsigned status = 0;
    for (char const c : head.substr(status_at, 3)) {
        if (c < '0' || c > '9') return std::nullopt;
        status = status * 10 + static_cast<unsigned>(c - '0');
    }
    if (head[status_end] != ' ' && head[status_end] != '\r' && head[status_end] != '\n') return std::nullopt;
    return status;
}

}  // namespace

std::string encode_http_connect(ProxyAddress const& proxy, ProxyTarget const& target) {
    auto const to = target.text();
    std::string text = "CONNECT " + to + " HTTP/1.1\r\nHost: " + to + "\r\n";
    if (proxy.has_login()) text += "Proxy-Authorization: Basic " + base64(proxy.user + ":" + proxy.password) + "\r\n";
    return text + "\r\n";
}

std::optional<std::size_t> http_connect_head_bytes(std::string_view bytes) {
    auto const strict = bytes.find("\r\n\r\n");
    auto const lax = bytes.find("\n\n");  // RFC 9112, 2.2: a line may end without its CR
    if (strict == std::string_view::npos && lax == std::string_view::npos) return std::nullopt;
    auto const strict_end = strict == std::string_view::npos ? strict : strict + 4;
    auto const lax_end = lax == std::string_view::npos ? lax : lax + 2;
    return std::min(strict_end, lax_end);
}

boost::system::error_code parse_http_connect_reply(std::string_view head, bool with_login) {
    auto const status = status_of(head);
    if (!status || *status < 200) return ProxyErrc::malformed;
    if (*status < 300) return {};
    switch (*status) {
        case 401:
        case 407: return with_login ? ProxyErrc::login_refused : ProxyErrc::login_needed;
        case 403: return ProxyErrc::not_allowed;
        case 405:
        case 501: return ProxyErrc::no_command;
        case 500:
        case 502:
        case 503:
        case 504: return ProxyErrc::host_unreachable;
        default: return ProxyErrc::answer;
    }
}

}  // namespace rqfs::torrent
