#include "torrent/address_filter.h"

#include "torrent/error.h"
#include "torrent/log.h"
#include "torrent/timeout.h"

#include <boost/system/system_error.hpp>

#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

// At the start a list that is being written is waited for as long as this many looks.
constexpr int kPatience = 3;

}  // namespace

AddressFilter::AddressFilter(asio::any_io_executor const& executor, Clock& clock, Workers& workers,
                             std::vector<std::string> files, std::function<void()> on_change)
    : clock_(clock),
      workers_(workers),
      files_(std::move(files)),
      on_change_(std::move(on_change)),
      wake_(executor),
      tasks_(executor, "IP filter") {}

asio::awaitable<void> AddressFilter::load() {
    if (files_.empty()) co_return;
    for (int looks = 1;; ++looks) {
        auto loaded = co_await workers_.run(Workers::Lane::disk, &load_ip_filter, files_);
        if (loaded) {
            take(std::move(*loaded));
            co_return;
        }
        if (loaded.error().code != Errc::busy || looks == kPatience) throw_error(loaded.error());
        co_await clock_.sleep(kLook);
    }
}

void AddressFilter::start() { tasks_.spawn(watch()); }

asio::awaitable<void> AddressFilter::stop() { co_await tasks_.stop(); }

void AddressFilter::set_files(std::vector<std::string> files) {
    files_ = std::move(files);
    asked_ = true;
    again_ = false;
    wake_.notify();
}

asio::awaitable<void> AddressFilter::watch() {
    FileStamps last;
    for (;;) {
        if (co_await asked_meanwhile()) {
            co_await read_again();
            continue;
        }
        if (files_.empty()) continue;
        auto const now = co_await workers_.run(Workers::Lane::disk, &stamps_of, files_);
        bool const settled = now == std::exchange(last, now);
        if ((now != stamps_ || again_) && settled) co_await read_again();
    }
}

// Waits until it is time for a look; true at once when the files are to be read whatever they look like.
asio::awaitable<bool> AddressFilter::asked_meanwhile() {
    try {
        co_await with_timeout(clock_, asked(), kLook, "");
        co_return true;
    } catch (boost::system::system_error const& e) {
        if (e.code() != make_error_code(Errc::timed_out)) throw;
    }
    co_return false;
}

asio::awaitable<void> AddressFilter::asked() {
    while (!asked_) co_await wake_.wait();
    asked_ = false;
}

asio::awaitable<void> AddressFilter::read_again() {
    auto before = co_await workers_.run(Workers::Lane::disk, &stamps_of, files_);
    auto loaded = co_await workers_.run(Workers::Lane::disk, &load_ip_filter, files_);
    if (asked_) co_return;  // others are asked for by now
    if (loaded) {
        take(std::move(*loaded));
        on_change_();
        co_return;
    }
    // What a file holds stays refused until the files change again; whatever else hinders us may end unseen.
    auto const& failure = loaded.error();
    bool const passes = failure.code != Errc::malformed && failure.code != Errc::too_large;
    bool const said = std::exchange(again_, passes) && failure.what == trouble_;
    stamps_ = std::move(before);
    trouble_ = failure.what;
    if (said) co_return;
    log().warn("the old IP filter stays: {}", trouble_);
}

void AddressFilter::take(LoadedIpFilter loaded) {
    bool const was_there = in_force_ > 0;
    filter_ = std::move(loaded.filter);
    stamps_ = std::move(loaded.stamps);
    in_force_ = static_cast<std::uint32_t>(stamps_.size());
    bad_lines_ = loaded.bad_lines;
    trouble_.clear();
    again_ = false;
    if (in_force_ == 0 && !was_there) return;
    log().info("IP filter in force files={} ranges={} bad_lines={}", in_force_, filter_->ranges(), bad_lines_);
    if (bad_lines_ > 0)
        log().warn("lines of the IP filter were skipped lines={}, the first is {}", bad_lines_, loaded.first_bad);
}

IpFilterStatus AddressFilter::status() const {
    IpFilterStatus status;
    status.files = in_force_;
    status.ranges = filter_->ranges();
    status.bad_lines = bad_lines_;
    status.refused_connections = refused_;
    status.trouble = trouble_;
    return status;
}

}  // namespace rqfs::torrent
