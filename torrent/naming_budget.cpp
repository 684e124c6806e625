#include "torrent/naming_budget.h"

#include "torrent/address_network.h"
#include "torrent/peer/settings.h"

#include <algorithm>

namespace rqfs::torrent {

namespace {

constexpr Duration kOneName = Duration(limit::kNamedAgainIn) / static_cast<Duration::rep>(limit::kNamedAtOnce);

}  // namespace

NamingBudget::NamingBudget() : whole_at_(limit::kNamersRemembered) {}

bool NamingBudget::may_name(Address const& by, TimePoint now) {
    auto const* const whole_at = whole_at_.find(household_of(by));
    return whole_at == nullptr || *whole_at + kOneName <= now + limit::kNamedAgainIn;
}

void NamingBudget::named(Address const& by, TimePoint now) {
    auto& whole_at = whole_at_.touch(household_of(by), now);
    whole_at = std::max(whole_at, now) + kOneName;
}

}  // namespace rqfs::torrent
