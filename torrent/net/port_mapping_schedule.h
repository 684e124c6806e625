#pragma once

#include "torrent/net/port_mapper.h"
#include "torrent/units.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::torrent {

// How long mappings last and failures are waited out; others than these are for tests.
struct PortMappingTimes {
    // RFC 6886 recommends 7,200; what a crash leaves behind ends sooner.
    std::chrono::seconds lifetime{3'600};
    std::chrono::seconds least_lifetime{120};  // RFC 6887, 15: nobody renews more often than each minute
    std::chrono::seconds first_pause{30};      // after everything failed; doubled each time
    // After an answer whether all is mapped still: one question that costs the router next to nothing. A router that is
    // started again takes minutes itself.
    std::chrono::seconds check{300};
};

// What is to be asked of the router next, so that one external port leads to ours by TCP and UDP alike: the protocols
// one after the other until one works, renewal at half of a mapping's life and at once when the router has lost it,
// another port when somebody has ours, growing pauses after failures. Pure: time and randomness are arguments.
//
// due() names a step, whoever takes it tells how it ended: opened(), answered(), checked(), unmapped() or failed().
class PortMappingSchedule {
public:
    static constexpr auto kLifetime = PortMappingTimes().lifetime;
    static constexpr auto kLeastLifetime = PortMappingTimes().least_lifetime;
    static constexpr std::chrono::seconds kPermanentLook{
        1'800};  // a router that was restarted has forgotten what was for ever
    static constexpr auto kFirstPause = PortMappingTimes().first_pause;
    static constexpr std::chrono::seconds kLongestPause{3'600};
    static constexpr std::size_t kPorts = 8;  // external ports tried in a row

    struct Step {
        enum class Kind { open, map, check, unmap };
        Kind kind = Kind::open;
        std::size_t mapper = 0;  // which protocol
        PortRequest request{};   // of all but open
    };
    // What leads to us now.
    struct Mapping {
        std::size_t mapper = 0;
        std::uint16_t external_port = 0;
        TimePoint renewed{};
        std::optional<TimePoint> expires{};  // none: permanent
    };

    // `mappers`: how many protocols there are to try, in their order.
    PortMappingSchedule(std::uint16_t internal_port, std::size_t mappers, TimePoint now, PortMappingTimes times = {});

    std::optional<Step> due(TimePoint now);
    // When to call due() again, or when the mapping is over; TimePoint::max() is never.
    TimePoint next() const;

    void opened();
    // `another_port` is random: what is asked for should this one belong to somebody else.
    void answered(PortAnswer const& answer, std::uint16_t another_port, TimePoint now);
    void checked(bool kept, TimePoint now);
    void unmapped();
    void failed(std::string why, TimePoint now);
    // Another router, or another address of ours: what was mapped is gone.
    void start_anew(TimePoint now);

    std::optional<Mapping> mapping(TimePoint now) const;
    // Why there is none, or why it cannot be renewed; empty while nothing failed.
    std::string const& failure() const { return failure_; }
    bool trying(TimePoint now) const { return due_ <= now; }
    // What the router would go on forwarding.
    std::vector<Step> removals() const;

private:
    enum class Phase { open, tcp, udp, check };

    PortRequest request(TransportProtocol protocol, std::uint16_t port) const;
    Step removal(std::size_t mapper, TransportProtocol protocol, std::uint16_t port) const;
    bool renewing() const;
    void give_up(std::string why, TimePoint now);
    void begin_round(TimePoint now);
    void begin_mapper(std::size_t mapper);
    void port_taken(std::uint16_t another_port, TimePoint now);
    void finish(TimePoint now);
    void await_check(TimePoint now);
    void renew_now(TimePoint now);

    std::uint16_t internal_port_;
    std::size_t mappers_;
    PortMappingTimes times_;
    Phase phase_ = Phase::open;
    std::size_t mapper_ = 0;
    std::size_t tried_ = 0;  // protocols that failed in this round
    std::size_t ports_tried_ = 0;
    std::uint16_t wanted_port_;
    std::chrono::seconds asked_lifetime_ = times_.lifetime;
    std::chrono::seconds given_lifetime_{0};
    std::optional<Mapping> held_;
    TimePoint renewal_{};  // of what is held
    std::chrono::seconds check_pause_ = times_.check;
    std::vector<Step> unmaps_;  // done before anything else
    std::string failures_;      // of this round
    std::string failure_;
    std::chrono::seconds pause_ = times_.first_pause;
    TimePoint due_;
};

}  // namespace rqfs::torrent
