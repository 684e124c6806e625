#include "torrent/net/proxy_address.h"

#include "torrent/net/url.h"
#include "torrent/net/url_host.h"

#include <charconv>
#include <cstddef>
#include <optional>
#include <system_error>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kLoginBytes = 255;  // RFC 1929, 2: lengths are one byte

Error expected() {
    return error(Errc::malformed,
                 "socks5://[user:password@]host:port or http://[user:password@]host:port was expected");
}

std::optional<ProxyAddress::Kind> take_scheme(std::string_view& text) {
    auto const end = text.find("://");
    if (end == std::string_view::npos) return std::nullopt;
    auto const scheme = text.substr(0, end);
    text.remove_prefix(end + 3);
    if (scheme == "socks5") return ProxyAddress::Kind::socks5;
    if (scheme == "http") return ProxyAddress::Kind::http;
    return std::nullopt;
}

std::optional<Error> parse_login(std::string_view text, ProxyAddress& proxy) {
    auto const colon = text.find(':');
    auto const user = percent_decode(text.substr(0, colon));
    auto const password = percent_decode(colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1));
    if (!user || !password) return error(Errc::malformed, "the user or password has a % that escapes nothing");
    if (user->empty() || password->empty() || user->size() > kLoginBytes || password->size() > kLoginBytes)
        return error(Errc::malformed, "a user and a password of 1 to 255 bytes were expected before the @");
    // RFC 7617, 2: the first colon ends the user's name.
    if (proxy.kind == ProxyAddress::Kind::http && user->find(':') != std::string::npos)
        return error(Errc::malformed, "no user of an HTTP proxy has a colon in his name");
    proxy.user = *user;
    proxy.password = *password;
    return std::nullopt;
}

}  // namespace

Result<ProxyAddress> ProxyAddress::parse(std::string_view text) {
    ProxyAddress proxy;
    auto const kind = take_scheme(text);
    if (!kind) return expected();
    proxy.kind = *kind;
    if (text.ends_with('/')) text.remove_suffix(1);
    if (auto const at = text.rfind('@'); at != std::string_view::npos) {
        if (auto wrong = parse_login(text.substr(0, at), proxy)) return *wrong;
        text.remove_prefix(at + 1);
    }
    auto const colon = text.rfind(':');
    if (colon == std::string_view::npos || text.ends_with(']'))
        return error(Errc::malformed, "the proxy's port is missing: host:port was expected");
    auto const digits = text.substr(colon + 1);
    auto const [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), proxy.port);
    if (failure != std::errc() || end != digits.data() + digits.size() || proxy.port == 0)
        return error(Errc::malformed, "the proxy's port is no number between 1 and 65535");
    auto const host = normalize_host(text.substr(0, colon));
    if (!host) return error(Errc::malformed, "the proxy's host is neither a name nor an address");
    proxy.host = *host;
    return proxy;
}

std::string ProxyAddress::place() const {
    auto const shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return shown + ":" + std::to_string(port);
}

std::string ProxyAddress::text() const { return (kind == Kind::socks5 ? "socks5://" : "http://") + place(); }

}  // namespace rqfs::torrent
