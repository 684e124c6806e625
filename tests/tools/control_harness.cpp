#include "tests/tools/control_harness.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <utility>

namespace rqfs::tests {

namespace asio = boost::asio;

namespace {

constexpr int kPatienceMilliseconds = 20'000;

std::string make_directory() {
    std::string name = std::filesystem::temp_directory_path().string() + "/rqfs-tools-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    return name;
}

// Appends what arrives; false at the end of the stream.
bool receive_some(int descriptor, std::string& into) {
    pollfd wait{descriptor, POLLIN, 0};
    if (poll(&wait, 1, kPatienceMilliseconds) <= 0) throw std::runtime_error("nothing arrived in 20 s");
    std::array<char, 16384> buffer{};
    auto const size = read(descriptor, buffer.data(), buffer.size());
    if (size > 0) into.append(buffer.data(), static_cast<std::size_t>(size));
    return size > 0;
}

}  // namespace

ControlHarness::ControlHarness() : directory_(make_directory()) {}

ControlHarness::~ControlHarness() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

void ControlHarness::start() {
    server_.open(socket());
    thread_ = std::thread([this] { engine_.run(); });
}

void ControlHarness::on_engine(std::function<void()> function) {
    std::promise<void> done;
    asio::post(engine_, [&] {
        function();
        done.set_value();
    });
    done.get_future().get();
}

void ControlHarness::stop() {
    if (!thread_.joinable()) return;
    asio::co_spawn(engine_, server_.stop(), asio::use_future).get();
    work_.reset();
    thread_.join();
}

RawClient::RawClient(std::string const& path) : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    void* const generic = &address;
    if (connect(descriptor_, static_cast<sockaddr*>(generic), sizeof(address)) != 0)
        throw std::runtime_error("cannot connect");
}

RawClient::~RawClient() { close(); }

void RawClient::close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
}

void RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        auto const sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::string RawClient::receive_all() {
    std::string all;
    while (receive_some(descriptor_, all)) continue;
    return all;
}

std::string RawClient::receive_until(std::string_view text) {
    std::string all;
    while (all.find(text) == std::string::npos && receive_some(descriptor_, all)) continue;
    return all;
}

std::string ask(std::string const& socket, std::string const& method, std::string const& target,
                std::string const& body, std::string const& content_type) {
    RawClient client(socket);
    client.send(method + " " + target + " HTTP/1.1\r\nHost: rqfs\r\nConnection: close\r\nContent-Type: " +
                content_type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.receive_all();
}

}  // namespace rqfs::tests
