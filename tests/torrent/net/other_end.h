#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

namespace rqfs::tests {

// Asks again for some seconds of real time: also between two sockets of one machine packets take a while.
inline bool comes_true(std::function<bool()> const& condition) {
    for (int i = 0; i < 1000; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
}

// Who has a connection with us and does with it what the test says.
class OtherEnd {
public:
    explicit OtherEnd(boost::asio::ip::tcp::socket s) : socket(std::move(s)) { socket.non_blocking(true); }

    // We have told it that we send no more.
    bool reads_the_end() {
        boost::system::error_code code;
        std::array<std::byte, 16> room{};
        socket.read_some(boost::asio::buffer(room), code);
        return code == boost::asio::error::eof;
    }
    // What it reads after our end is the end, whatever comes then; but it is connected to nobody.
    bool is_reset() {
        boost::system::error_code code;
        socket.remote_endpoint(code);
        return code == boost::asio::error::not_connected;
    }
    bool sends(std::size_t bytes) {
        boost::system::error_code code;
        std::vector<std::byte> const some(bytes);
        return socket.write_some(boost::asio::buffer(some), code) == bytes && !code;
    }
    // As much as can be on its way; how much that is.
    std::size_t sends_all_it_can() {
        std::size_t sent = 0;
        while (sends(4096)) sent += 4096;
        return sent;
    }
    bool is_acknowledged() {
        int unacknowledged = -1;
        ::ioctl(socket.native_handle(), SIOCOUTQ, &unacknowledged);
        return unacknowledged == 0;
    }

    boost::asio::ip::tcp::socket socket;
};

// Nobody accepts there and a few wait for it, so that a dial goes unanswered until somebody is let in.
class FullListener {
public:
    explicit FullListener(boost::asio::io_context& engine)
        : engine_(engine), acceptor_(engine, boost::asio::ip::tcp::v4()) {
        acceptor_.bind({boost::asio::ip::make_address("127.0.0.1"), 0});
        acceptor_.listen(0);
        acceptor_.non_blocking(true);
        waiting_.emplace_back(engine).connect(acceptor_.local_endpoint());
    }

    boost::asio::ip::tcp::endpoint endpoint() { return acceptor_.local_endpoint(); }
    void let_the_first_in() { acceptor_.accept(); }
    // The next that has connected; closed when there is none.
    boost::asio::ip::tcp::socket next() {
        boost::system::error_code none;
        boost::asio::ip::tcp::socket socket(engine_);
        acceptor_.accept(socket, none);
        return socket;
    }

private:
    boost::asio::io_context& engine_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::vector<boost::asio::ip::tcp::socket> waiting_;
};

}  // namespace rqfs::tests
