#include "torrent/naming_budget.h"

#include "torrent/peer/settings.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace rqfs::torrent {

namespace {

constexpr Duration kOneName = Duration(limit::kNamedAgainIn) / static_cast<Duration::rep>(limit::kNamedAtOnce);

Address household(Address const& address) {
    if (!address.is_v6()) return address;
    std::array<std::uint8_t, 16> network{};
    std::copy_n(address.bytes().begin(), 8, network.begin());
    return Address::v6(network);
}

}  // namespace

NamingBudget::NamingBudget() : whole_at_(limit::kNamersRemembered) {}

bool NamingBudget::may_name(Address const& by, TimePoint now) {
    auto const* const whole_at = whole_at_.find(household(by));
    return whole_at == nullptr || *whole_at + kOneName <= now + limit::kNamedAgainIn;
}

void NamingBudget::named(Address const& by, TimePoint now) {
    auto& whole_at = whole_at_.touch(household(by), now);
    whole_at = std::max(whole_at, now) + kOneName;
}

}  // namespace rqfs::torrent
