#include "tools/rqfs/daemon.h"

#include "cache/disk_store.h"
#include "fs/mount.h"
#include "fs/mount_point.h"
#include "tools/control/default_paths.h"
#include "tools/rqfs/control_server.h"
#include "tools/rqfs/daemon_control.h"
#include "tools/rqfs/last_resort.h"
#include "tools/rqfs/log.h"
#include "tools/rqfs/logging.h"
#include "tools/rqfs/service_manager.h"
#include "torrent/clock.h"
#include "torrent/error.h"
#include "torrent/event.h"
#include "torrent/info_hash.h"
#include "torrent/net/dns_options.h"
#include "torrent/net/dns_resolver.h"
#include "torrent/net/interface_binding.h"
#include "torrent/session.h"
#include "torrent/task_group.h"
#include "torrent/workers.h"

#include <malloc.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>

#ifndef RQFS_VERSION
#define RQFS_VERSION "unknown"
#endif

namespace rqfs::tools {

namespace asio = boost::asio;

namespace {

// The whole stop is promised within 3 s; the rest is for the process itself.
constexpr std::chrono::milliseconds kStopTime{2'900};

torrent::DnsOptions dns_options(torrent::Settings const& settings) {
    torrent::DnsOptions options;
    options.binding = torrent::InterfaceBinding(settings.interface);
    for (auto const& server : settings.dns)
        if (auto const endpoint = torrent::parse_name_server(server)) options.servers.push_back(*endpoint);
    return options;
}

// The parts and their life. Engine thread only, but for construction and run().
class Daemon final : public DaemonControl {
public:
    Daemon(DaemonOptions options, Readiness& readiness);

    void run();

private:
    std::string mountpoint() const override { return mount_ ? mount_->mount_point() : std::string(); }
    std::string directory_path(torrent::InfoHash const& info_hash) const override {
        return mount_ ? mount_->directory_path(info_hash) : std::string();
    }
    std::string store() const override { return options_.config.store; }
    std::uint32_t process_id() const override { return static_cast<std::uint32_t>(getpid()); }
    ConfigTrouble config_trouble() const override;
    torrent::ReadLimit read_limit() const override { return mount_ ? mount_->read_limit() : torrent::ReadLimit(); }
    void request_stop() override { end("asked by rqfsctl"); }
    void set_log_level(std::string_view logger, std::string_view level) override {
        tools::set_log_level(logger, level);
    }

    asio::awaitable<void> live();
    asio::awaitable<void> start();
    asio::awaitable<void> wait_for_end();
    asio::awaitable<void> stop();
    asio::awaitable<void> stop_part(std::string_view name, asio::awaitable<void> part);
    asio::awaitable<void> watch_signals();
    asio::awaitable<void> watch_mount();
    asio::awaitable<void> read_config_again();
    void take_config(Config next);
    void end(std::string_view reason);

    DaemonOptions options_;
    Readiness& readiness_;
    asio::io_context engine_{1};
    torrent::SteadyClock clock_;
    torrent::Workers workers_;
    torrent::DnsResolver resolver_{clock_, workers_, dns_options(options_.config.torrent)};
    torrent::Event end_wanted_{engine_.get_executor()};
    asio::signal_set signals_{engine_, SIGTERM, SIGINT, SIGHUP};
    torrent::TaskGroup tasks_{engine_.get_executor(), "daemon"};
    std::unique_ptr<cache::DiskStore> store_;
    std::unique_ptr<torrent::Session> session_;
    std::unique_ptr<fs::Mount> mount_;
    std::unique_ptr<ControlServer> server_;
    std::string config_fails_;  // why the configuration could not be read again; empty: the last one is in force
    torrent::TimePoint config_fails_since_{};
    bool ending_ = false;
    bool unmounted_ = false;  // by stop(): from then on nobody's reads depend on us
    bool in_haste_ = false;   // told to end twice
};

Daemon::Daemon(DaemonOptions options, Readiness& readiness) : options_(std::move(options)), readiness_(readiness) {}

void Daemon::run() {
    // Before anything else, so that a bad mount point touches neither the store nor a tracker. Nothing runs yet that
    // the check could block.
    auto const prepared = fs::prepare_mount_point(options_.command_line.mountpoint, options_.config.fs.allow_other);
    if (!prepared) torrent::throw_error(prepared.error());
    log().info("starting version={} store={}", RQFS_VERSION, options_.config.store);
    store_ =
        cache::DiskStore::open(engine_.get_executor(), clock_, workers_, options_.config.store, options_.config.cache);
    std::exception_ptr failure;
    asio::co_spawn(engine_, live(), [&](std::exception_ptr const& why) { failure = why; });
    engine_.run();
    if (failure) std::rethrow_exception(failure);
    log().info("stopped");
}

asio::awaitable<void> Daemon::live() {
    tasks_.spawn(watch_signals());
    std::exception_ptr failure;
    try {
        co_await start();
        co_await wait_for_end();
    } catch (...) {
        failure = std::current_exception();
    }
    co_await stop();
    if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> Daemon::start() {
    torrent::Session::Parts const parts{engine_.get_executor(), clock_, workers_, *store_, resolver_};
    if (auto const problem = resolver_.problem(); !problem.empty()) log().warn("{}", problem);
    session_ = std::make_unique<torrent::Session>(parts, options_.config.torrent);
    co_await session_->start();
    if (ending_) co_return;
    mount_ = std::make_unique<fs::Mount>(engine_.get_executor(), *session_, clock_, workers_, options_.config.fs);
    co_await mount_->mount(options_.command_line.mountpoint);
    if (ending_) co_return;
    tasks_.spawn(watch_mount());
    server_ = std::make_unique<ControlServer>(engine_.get_executor(), clock_, *session_, *this);
    server_->open(options_.config.socket);
    log().info("mounted at={} socket={} torrents={}", mount_->mount_point(), options_.config.socket,
               session_->status().torrents);
    if (!readiness_.ready()) end("whoever started it has gone");
}

asio::awaitable<void> Daemon::wait_for_end() {
    while (!ending_) co_await end_wanted_.wait();
}

asio::awaitable<void> Daemon::stop() {
    end_process_in(kStopTime);
    notify_service_manager("STOPPING=1");
    if (server_) co_await stop_part("control server", server_->stop());
    if (mount_) co_await stop_part("mount", mount_->stop());
    unmounted_ = true;
    if (in_haste_) end_process_in(std::chrono::milliseconds(1));
    if (session_) co_await stop_part("session", session_->stop());
    co_await stop_part("store", store_->stop());
    co_await tasks_.stop();
}

// A part that fails to stop does not keep the next one from stopping.
asio::awaitable<void> Daemon::stop_part(std::string_view name, asio::awaitable<void> part) {
    try {
        co_await std::move(part);
        log().debug("stopped part={}", name);
    } catch (std::exception const& failure) {
        log().error("a part did not stop in order part={} error={}", name, failure.what());
    }
}

asio::awaitable<void> Daemon::watch_signals() {
    while (true) {
        int const number = co_await signals_.async_wait(asio::use_awaitable);
        if (number == SIGHUP) {
            co_await read_config_again();
        } else if (!ending_) {
            end(number == SIGTERM ? "SIGTERM" : "SIGINT");
        } else {
            in_haste_ = true;
            if (unmounted_) end_process_in(std::chrono::milliseconds(1));
        }
    }
}

asio::awaitable<void> Daemon::watch_mount() {
    co_await mount_->serve();
    end("the mount has gone");
}

void Daemon::end(std::string_view reason) {
    if (ending_) return;
    ending_ = true;
    log().info("stopping reason={}", reason);
    end_wanted_.notify();
}

asio::awaitable<void> Daemon::read_config_again() {
    auto const read = co_await workers_.run(torrent::Workers::Lane::disk, &load_config, options_.config_file,
                                            options_.config_may_be_missing);
    if (!read) {
        log().error("configuration not taken, the old one stays: {}", read.error().what);
        if (config_fails_.empty()) config_fails_since_ = clock_.now();
        config_fails_ = read.error().what;
    } else if (session_ && !ending_) {
        take_config(with_command_line(*read, options_.command_line, current_environment()));
    }
}

ConfigTrouble Daemon::config_trouble() const {
    if (config_fails_.empty()) return {};
    return {config_fails_, std::chrono::duration_cast<std::chrono::seconds>(clock_.now() - config_fails_since_)};
}

void Daemon::take_config(Config next) {
    config_fails_.clear();
    reopen_log_file();
    set_log_levels(next);
    auto later = session_->apply(next.torrent);
    for (auto& key : keys_for_next_start(options_.config, next)) later.push_back(std::move(key));
    if (mount_) mount_->set_read_limits(next.fs.read_timeout, next.fs.on_timeout);
    log().info("configuration read again file={}", options_.config_file);
    for (auto const& key : later) log().warn("a change takes effect at the next start key={}", key);
    // The old values of those keys stay, so that the next reading compares with what is in force.
    auto const in_force = options_.config;
    options_.config = std::move(next);
    options_.config.cache = in_force.cache;
    options_.config.store = in_force.store;
    options_.config.socket = in_force.socket;
    options_.config.log_file = in_force.log_file;
    options_.config.fs.allow_other = in_force.fs.allow_other;
    options_.config.fs.uid = in_force.fs.uid;
    options_.config.fs.gid = in_force.fs.gid;
    options_.config.fs.umask = in_force.fs.umask;
}

}  // namespace

int run_daemon(DaemonOptions options, Readiness& readiness) {
    // Piece buffers come and go all the time: without this glibc maps each anew and pays for its page faults (18 to 77
    // µs a MiB, measured). What is free above 32 MiB goes back to the system.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 32 << 20);
    Daemon daemon(std::move(options), readiness);
    daemon.run();
    return 0;
}

}  // namespace rqfs::tools
