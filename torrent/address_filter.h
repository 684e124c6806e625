#pragma once

#include "torrent/clock.h"
#include "torrent/endpoint.h"
#include "torrent/event.h"
#include "torrent/net/ip_filter_files.h"
#include "torrent/status.h"
#include "torrent/task_group.h"
#include "torrent/workers.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rqfs::torrent {

// Whom the user's lists (network.ip_filter) keep away, and the lists as they change. Files are read on workers; a list
// is taken whole or not at all. Owned by Session; engine thread only; stop() before destruction.
class AddressFilter {
public:
    // A file that changes is taken when two looks in a row found it the same: nobody writes a list so slowly.
    static constexpr std::chrono::seconds kLook{5};

    // `on_change`: another filter is in force.
    AddressFilter(boost::asio::any_io_executor const& executor, Clock& clock, Workers& workers,
                  std::vector<std::string> files, std::function<void()> on_change);

    // Throws where a list cannot be taken: who relies on one shall not run without.
    boost::asio::awaitable<void> load();
    // From then on changes are noticed.
    void start();
    boost::asio::awaitable<void> stop();
    // These from now on, read at once even where nothing seems to have changed. Until they are taken, and when they
    // cannot be, the old ones hold.
    void set_files(std::vector<std::string> files);

    bool refuses(Address const& address) const { return filter_->blocks(address); }
    void count_refused() { ++refused_; }  // one connection
    IpFilterStatus status() const;

private:
    boost::asio::awaitable<void> watch();
    boost::asio::awaitable<bool> asked_meanwhile();
    boost::asio::awaitable<void> asked();
    boost::asio::awaitable<void> read_again();
    void take(LoadedIpFilter loaded);

    Clock& clock_;
    Workers& workers_;
    std::vector<std::string> files_;
    std::function<void()> on_change_;
    std::shared_ptr<IpFilter const> filter_ = std::make_shared<IpFilter const>();
    FileStamps stamps_;           // of what is in force, or was last tried in vain
    std::uint32_t in_force_ = 0;  // files
    std::uint64_t bad_lines_ = 0;
    std::uint64_t refused_ = 0;
    std::string trouble_;
    bool asked_ = false;
    bool again_ = false;  // the last try failed for what may pass: each look tries anew
    Event wake_;
    TaskGroup tasks_;
};

}  // namespace rqfs::torrent
