#include "torrent/net/proxy_error.h"

#include <string>

namespace rqfs::torrent {

namespace {

// Boost keeps its categories for ever, so their destructor is not virtual.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
public:
    char const* name() const noexcept override { return "proxy"; }

    std::string message(int code) const override {
        switch (static_cast<ProxyErrc>(code)) {
            case ProxyErrc::failure: return "it failed and does not say why";
            case ProxyErrc::not_allowed: return "not allowed by its rules";
            case ProxyErrc::network_unreachable: return "it has no way to that network";
            case ProxyErrc::host_unreachable: return "it cannot reach that host";
            case ProxyErrc::connection_refused: return "that host refused the connection";
            case ProxyErrc::expired: return "that host is too far away";
            case ProxyErrc::no_command: return "it does not do that";
            case ProxyErrc::no_address_type: return "it does not know that kind of address";
            case ProxyErrc::login_needed: return "it wants a user and a password";
            case ProxyErrc::login_refused: return "it does not accept the user and password";
            case ProxyErrc::no_method: return "it accepts no way to log in that we know";
            case ProxyErrc::malformed: return "it does not speak a proxy's protocol";
            case ProxyErrc::closed: return "it ended the connection instead of answering";
            case ProxyErrc::silent: return "it does not answer";
            case ProxyErrc::unreachable: return "it cannot be reached";
            case ProxyErrc::answer: return "it answers something else";
        }
        return "it has a reason that has no name";
    }
};
#pragma GCC diagnostic pop

}  // namespace

boost::system::error_category const& proxy_category() {
    static Category const category;
    return category;
}

bool is_trouble_with_proxy(boost::system::error_code const& code) {
    return code.category() == proxy_category() && code.value() >= static_cast<int>(ProxyErrc::login_needed);
}

boost::system::error_code make_error_code(ProxyErrc code) { return {static_cast<int>(code), proxy_category()}; }

}  // namespace rqfs::torrent
