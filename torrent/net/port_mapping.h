#pragma once

#include "torrent/clock.h"
#include "torrent/net/port_mapper.h"
#include "torrent/net/port_mapping_schedule.h"
#include "torrent/status.h"
#include "torrent/task_group.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace rqfs::torrent {

// Keeps a port of this machine open in the router before it, for one address family: what PortMappingSchedule decides,
// done. Failures are told by status() and the log at debug alone, for most networks have no such router.
//
// Owned by Session; engine thread only; stop() before destruction.
class PortMapping {
public:
    static constexpr std::chrono::seconds kStepTime{15};    // one question to the router with all its parts
    static constexpr std::chrono::minutes kLook{2};         // between looks whether the network is another one
    static constexpr std::chrono::seconds kRemovalTime{1};  // of a stop that is promised within three

    class Owner {
    public:
        virtual ~Owner() = default;
        // From now on others reach us at this port: our own when nothing is mapped.
        virtual void announced_port_is(std::uint16_t port) = 0;
        virtual void router_says_we_are(Address address) = 0;
    };
    using Mappers = std::vector<std::unique_ptr<PortMapper>>;  // in the order in which they are tried

    // The owner and the clock outlive it.
    PortMapping(boost::asio::any_io_executor const& executor, Clock& clock, std::unique_ptr<RouterFinder> finder,
                Mappers mappers, std::uint16_t port, Owner& owner, PortMappingTimes times = {});

    void start();
    // Takes away what is mapped, as far as the router answers in time.
    boost::asio::awaitable<void> stop();

    PortMappingStatus status() const;

private:
    using Step = PortMappingSchedule::Step;

    boost::asio::awaitable<void> keep();
    boost::asio::awaitable<void> perform(Step step);
    boost::asio::awaitable<void> take(Step step);
    boost::asio::awaitable<void> open(std::size_t mapper);
    boost::asio::awaitable<void> check(Step step);
    boost::asio::awaitable<void> look();
    boost::asio::awaitable<void> remove(std::vector<Step> steps);
    void publish();

    Clock& clock_;
    std::unique_ptr<RouterFinder> finder_;
    Mappers mappers_;
    std::uint16_t port_;
    Owner& owner_;
    PortMappingSchedule schedule_;
    std::optional<Router> router_;
    std::optional<Address> external_;  // as the router says
    std::optional<Step> under_way_;
    bool mapped_ = false;
    std::uint16_t announced_;
    TaskGroup tasks_;
};

}  // namespace rqfs::torrent
