#pragma once

#include "torrent/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace rqfs::torrent {

// The proxy that everything goes through, as the user names it. Pure.
struct ProxyAddress {
    enum class Kind { socks5, http };

    Kind kind = Kind::socks5;
    std::string host;  // a name or an address without brackets; this name and that of its relay are all we look up ourselves
    std::uint16_t port = 0;
    std::string user;  // 1 to 255 bytes as the password (RFC 1929), both empty where there is none to say
    std::string password;

    // "socks5://[user:password@]host:port" or "http://..."; both words may be escaped as in a URL. No error repeats
    // the text: it may hold the password.
    static Result<ProxyAddress> parse(std::string_view text);

    bool has_login() const { return !user.empty(); }
    std::string place() const;  // host:port
    std::string text() const;   // for people: without user and password
};

}  // namespace rqfs::torrent
