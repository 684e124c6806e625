#include "torrent/net/port_mapping_schedule.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace rqfs::torrent {

namespace {

constexpr std::chrono::seconds kLongestLifetime{86'400};  // whatever a router promises, it is asked once in half of it

}  // namespace

PortMappingSchedule::PortMappingSchedule(std::uint16_t internal_port, std::size_t mappers, TimePoint now,
                                         PortMappingTimes times)
    : internal_port_(internal_port), mappers_(mappers), times_(times), wanted_port_(internal_port), due_(now) {
    assert(mappers > 0);
}

bool PortMappingSchedule::renewing() const {
    return held_ && held_->mapper == mapper_ && held_->external_port == wanted_port_;
}

PortRequest PortMappingSchedule::request(TransportProtocol protocol, std::uint16_t port) const {
    return {protocol, internal_port_, port, asked_lifetime_};
}

PortMappingSchedule::Step PortMappingSchedule::removal(std::size_t mapper, TransportProtocol protocol,
                                                       std::uint16_t port) const {
    return {Step::Kind::unmap, mapper, request(protocol, port)};
}

std::optional<PortMappingSchedule::Step> PortMappingSchedule::due(TimePoint now) {
    if (held_ && held_->expires && *held_->expires <= now) held_.reset();
    if (!unmaps_.empty()) return unmaps_.front();
    if (now < due_) return std::nullopt;
    if (phase_ == Phase::check && (!held_ || renewal_ <= now)) begin_round(now);
    switch (phase_) {
        case Phase::open: return Step{Step::Kind::open, mapper_};
        case Phase::tcp: return Step{Step::Kind::map, mapper_, request(TransportProtocol::tcp, wanted_port_)};
        case Phase::udp: return Step{Step::Kind::map, mapper_, request(TransportProtocol::udp, wanted_port_)};
        case Phase::check: return Step{Step::Kind::check, mapper_, request(TransportProtocol::tcp, wanted_port_)};
    }
    return std::nullopt;
}

TimePoint PortMappingSchedule::next() const {
    if (!unmaps_.empty()) return TimePoint::min();
    return held_ && held_->expires ? std::min(due_, *held_->expires) : due_;
}

void PortMappingSchedule::opened() { phase_ = Phase::tcp; }

void PortMappingSchedule::answered(PortAnswer const& answer, std::uint16_t another_port, TimePoint now) {
    if (answer.kind == PortAnswer::Kind::permanent_only) {
        if (asked_lifetime_ == std::chrono::seconds(0)) return give_up("the router refuses every lifetime", now);
        asked_lifetime_ = std::chrono::seconds(0);
        return;
    }
    if (answer.kind == PortAnswer::Kind::conflict) return port_taken(another_port, now);
    if (phase_ == Phase::tcp) {
        wanted_port_ = answer.external_port;
        given_lifetime_ = answer.lifetime;
        phase_ = Phase::udp;
        return;
    }
    if (answer.external_port != wanted_port_) {
        unmaps_.push_back(removal(mapper_, TransportProtocol::udp, answer.external_port));
        return port_taken(answer.external_port, now);
    }
    if (answer.lifetime != std::chrono::seconds(0))
        given_lifetime_ =
            given_lifetime_ == std::chrono::seconds(0) ? answer.lifetime : std::min(given_lifetime_, answer.lifetime);
    finish(now);
    // TCP's mapping went between the two. A router that counts in its own way is not asked without end.
    if (answer.table_lost) begin_round(now + times_.first_pause);
}

void PortMappingSchedule::checked(bool kept, TimePoint now) {
    assert(phase_ == Phase::check);
    if (kept) {
        check_pause_ = times_.check;
        return await_check(now);
    }
    // What is known to be gone is not told for long as if it were there.
    auto const end = now + times_.first_pause;
    if (held_) held_->expires = std::min(held_->expires.value_or(end), end);
    renew_now(now);
}

// More seldom each time, until a check finds all well: some routers deny what they have mapped, and some write each
// mapping to flash.
void PortMappingSchedule::renew_now(TimePoint now) {
    check_pause_ = std::min(2 * check_pause_, kLongestPause);
    begin_round(now);
}

void PortMappingSchedule::unmapped() {
    assert(!unmaps_.empty());
    unmaps_.erase(unmaps_.begin());
}

void PortMappingSchedule::port_taken(std::uint16_t another_port, TimePoint now) {
    if (phase_ == Phase::udp) unmaps_.push_back(removal(mapper_, TransportProtocol::tcp, wanted_port_));
    if (renewing()) held_.reset();
    phase_ = Phase::tcp;
    if (++ports_tried_ >= kPorts) return give_up("every port asked for belongs to somebody else", now);
    wanted_port_ = another_port;
}

void PortMappingSchedule::finish(TimePoint now) {
    Mapping mapping;
    mapping.mapper = mapper_;
    mapping.external_port = wanted_port_;
    mapping.renewed = now;
    auto life = kPermanentLook * 2;
    if (given_lifetime_ != std::chrono::seconds(0)) {
        life = std::clamp(given_lifetime_, times_.least_lifetime, kLongestLifetime);
        mapping.expires = now + life;
    }
    held_ = mapping;
    renewal_ = now + life / 2;
    failure_.clear();
    pause_ = times_.first_pause;
    begin_round(renewal_);
    await_check(now);
}

void PortMappingSchedule::await_check(TimePoint now) {
    auto const check = now + check_pause_;
    phase_ = check < renewal_ ? Phase::check : Phase::open;
    due_ = std::min(check, renewal_);
}

void PortMappingSchedule::failed(std::string why, TimePoint now) {
    if (!unmaps_.empty()) return unmapped();  // it ends by itself, or stays: nothing more can be done about it
    // While it starts a router is silent, and afterwards perhaps to be found elsewhere.
    if (phase_ == Phase::check) return renew_now(now);
    give_up(std::move(why), now);
}

// With this protocol, this time.
void PortMappingSchedule::give_up(std::string why, TimePoint now) {
    if (phase_ == Phase::udp && !renewing()) unmaps_.push_back(removal(mapper_, TransportProtocol::tcp, wanted_port_));
    // Without a router all say the same.
    if (failures_.find(why) == std::string::npos) failures_ += (failures_.empty() ? "" : "; ") + std::move(why);
    ++tried_;
    if (tried_ < mappers_) return begin_mapper((mapper_ + 1) % mappers_);
    failure_ = std::move(failures_);
    begin_round(now + pause_);
    pause_ = std::min(2 * pause_, kLongestPause);
}

void PortMappingSchedule::begin_round(TimePoint now) {
    tried_ = 0;
    failures_.clear();
    due_ = now;
    begin_mapper(held_ ? held_->mapper : 0);
}

void PortMappingSchedule::begin_mapper(std::size_t mapper) {
    mapper_ = mapper;
    phase_ = Phase::open;
    ports_tried_ = 0;
    wanted_port_ = held_ ? held_->external_port : internal_port_;
    asked_lifetime_ = times_.lifetime;
    given_lifetime_ = std::chrono::seconds(0);
}

void PortMappingSchedule::start_anew(TimePoint now) {
    held_.reset();
    unmaps_.clear();
    failure_.clear();
    pause_ = times_.first_pause;
    check_pause_ = times_.check;
    begin_round(now);
}

std::optional<PortMappingSchedule::Mapping> PortMappingSchedule::mapping(TimePoint now) const {
    return held_ && (!held_->expires || now < *held_->expires) ? held_ : std::nullopt;
}

std::vector<PortMappingSchedule::Step> PortMappingSchedule::removals() const {
    auto all = unmaps_;
    if (phase_ == Phase::udp && !renewing()) all.push_back(removal(mapper_, TransportProtocol::tcp, wanted_port_));
    if (!held_) return all;
    for (auto const protocol : {TransportProtocol::tcp, TransportProtocol::udp})
        all.push_back(removal(held_->mapper, protocol, held_->external_port));
    return all;
}

}  // namespace rqfs::torrent
