#pragma once

#include "torrent/endpoint.h"
#include "torrent/net/proxy_target.h"
#include "torrent/net/resolver.h"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rqfs::torrent {

// Looks nothing up: every name gets a placeholder address, and what goes through the proxy turns it back into the name.
// The names last used are kept, limit::kProxyNames of them; a placeholder whose name was forgotten leads nowhere.
// Engine thread only.
class ProxiedResolver final : public Resolver {
public:
    boost::asio::awaitable<std::vector<Address>> resolve(std::string host) override;
    bool stands_for_name(Address const& address) const override { return names_.contains(address); }

    // Nothing for a placeholder whose name was forgotten.
    std::optional<ProxyTarget> target(Endpoint const& endpoint);

private:
    using Uses = std::list<std::pair<std::string, Address>>;  // the last used first

    Address unused_address();
    Address placeholder_for(std::string const& name);

    Uses uses_;
    std::unordered_map<std::string, Uses::iterator> addresses_;
    std::unordered_map<Address, Uses::iterator> names_;
    std::uint32_t last_ = 0;  // the 24 bits that were given last
};

}  // namespace rqfs::torrent
