#pragma once

#include "tests/support/fake_control.h"
#include "tests/support/program.h"
#include "tools/rqfs/control_server.h"
#include "torrent/clock.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace rqfs::tests {

class FakeDaemon final : public tools::DaemonControl {
public:
    explicit FakeDaemon(FakeControl const& control) : control_(control) {}

    std::vector<std::string> calls;
    tools::ConfigTrouble config;

    std::string mountpoint() const override { return "/mnt/films"; }
    std::string directory_path(torrent::InfoHash const& info_hash) const override {
        return mountpoint() + "/" + control_.torrent(info_hash).directory;
    }
    std::string store() const override { return "/store"; }
    std::uint32_t process_id() const override { return 4711; }
    tools::ConfigTrouble config_trouble() const override { return config; }
    torrent::ReadLimit read_limit() const override { return {std::chrono::seconds(60), "EIO"}; }
    void request_stop() override { calls.push_back("stop"); }
    void set_log_level(std::string_view logger, std::string_view level) override {
        calls.push_back(std::string(logger) + "=" + std::string(level));
    }

private:
    FakeControl const& control_;
};

// The real control server over fakes, on an engine thread of its own, in a directory of its own.
class ControlHarness {
public:
    ControlHarness();
    ControlHarness(ControlHarness const&) = delete;
    ControlHarness& operator=(ControlHarness const&) = delete;
    ~ControlHarness();

    FakeControl control;  // before start(), or inside on_engine()
    FakeDaemon daemon{control};

    void start();
    void on_engine(std::function<void()> function);  // runs it there and waits
    void stop();                                     // the server and the thread

    std::string const& directory() const { return directory_; }
    std::string socket() const { return directory_ + "/rqfs.sock"; }

private:
    std::string directory_;
    boost::asio::io_context engine_{1};
    torrent::SteadyClock clock_;
    tools::ControlServer server_{engine_.get_executor(), clock_, control, daemon};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{engine_.get_executor()};
    std::thread thread_;
};

// A raw client of the socket.
class RawClient {
public:
    explicit RawClient(std::string const& path);
    RawClient(RawClient const&) = delete;
    RawClient& operator=(RawClient const&) = delete;
    ~RawClient();

    void send(std::string_view bytes);  // as much as the server takes
    std::string receive_all();          // until the server closes, at most 20 s
    std::string receive_until(std::string_view text);
    void close();
    int descriptor() const { return descriptor_; }

private:
    int descriptor_ = -1;
};

// One request on a connection of its own, and all of its answer.
std::string ask(std::string const& socket, std::string const& method, std::string const& target,
                std::string const& body = {}, std::string const& content_type = "application/json");

}  // namespace rqfs::tests
