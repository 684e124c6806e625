#pragma once

#include "torrent/endpoint.h"
#include "torrent/net/endpoint_conversion.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace rqfs::tests {

// A name server on loopback that answers what the test says, over UDP and TCP. Bytes are DNS messages (RFC 1035).
class FakeNameServer {
public:
    struct Question {
        std::string name;
        std::uint16_t type = 0;  // 1: A, 28: AAAA
        std::string bytes;       // the whole message
        bool tcp = false;
    };
    static constexpr std::uint16_t kA = 1;
    static constexpr std::uint16_t kAaaa = 28;

    explicit FakeNameServer(boost::asio::io_context& engine) : udp_(engine), tcp_(engine) {
        while (!open_both()) continue;
        receive();
        accept();
    }

    // The datagrams that a question is answered with.
    std::function<std::vector<std::string>(Question const&)> answer = [](Question const&) {
        return std::vector<std::string>();
    };
    std::vector<Question> questions;
    std::function<void(boost::asio::ip::tcp::socket)> connected;  // takes connections, if there is one, and answers

    torrent::Endpoint endpoint() { return torrent::from_asio(udp_.local_endpoint()); }

    // The answer to a question, with these addresses of its type, and a code (3: no such name) and flags.
    static std::string reply(Question const& question, std::vector<std::string> const& addresses, int code = 0,
                             bool truncated = false) {
        std::string out = question.bytes;
        std::string answers;
        std::uint8_t count = 0;
        for (auto const& text : addresses) {
            auto const address = torrent::Address::parse(text).value();
            if (address.is_v6() != (question.type == kAaaa)) continue;
            ++count;
            answers += std::string("\xc0\x0c\x00", 3) + static_cast<char>(question.type);
            answers += std::string("\x00\x01\x00\x00\x00\x3c\x00", 7) + static_cast<char>(address.bytes().size());
            for (auto const byte : address.bytes()) answers += static_cast<char>(byte);
        }
        out[2] = static_cast<char>(truncated ? 0x83 : 0x81);
        out[3] = static_cast<char>(0x80 | code);
        out[7] = static_cast<char>(count);
        return out + answers;
    }

private:
    struct Connection {
        explicit Connection(boost::asio::ip::tcp::socket s) : socket(std::move(s)) {}
        boost::asio::ip::tcp::socket socket;
        std::array<std::uint8_t, 2> length{};
        std::string bytes;
    };

    // A port that is free for UDP may be taken for TCP.
    bool open_both() {
        auto const loopback = boost::asio::ip::make_address("127.0.0.1");
        udp_ = boost::asio::ip::udp::socket(udp_.get_executor(), {loopback, 0});
        tcp_ = boost::asio::ip::tcp::acceptor(tcp_.get_executor(), boost::asio::ip::tcp::v4());
        boost::system::error_code taken;
        tcp_.bind({loopback, udp_.local_endpoint().port()}, taken);
        if (!taken) tcp_.listen();
        return !taken;
    }

    static Question parse(std::string bytes, bool tcp) {
        Question question{{}, 0, std::move(bytes), tcp};
        std::size_t at = 12;
        while (question.bytes.at(at) != 0) {
            auto const length = static_cast<std::size_t>(question.bytes[at]);
            question.name += (question.name.empty() ? "" : ".") + question.bytes.substr(at + 1, length);
            at += length + 1;
        }
        question.type = static_cast<std::uint8_t>(question.bytes.at(at + 2));
        question.bytes.resize(at + 5);
        question.bytes[11] = 0;  // nothing additional
        return question;
    }

    void receive() {
        udp_.async_receive_from(boost::asio::buffer(buffer_), from_, [this](auto code, std::size_t size) {
            if (code) return;
            questions.push_back(parse(std::string(buffer_.data(), size), false));
            for (auto const& datagram : answer(questions.back())) udp_.send_to(boost::asio::buffer(datagram), from_);
            receive();
        });
    }

    void accept() {
        tcp_.async_accept([this](auto code, boost::asio::ip::tcp::socket socket) {
            if (code) return;
            connected ? connected(std::move(socket)) : next(connections_.emplace_back(std::move(socket)));
            accept();
        });
    }

    void next(Connection& connection) {
        boost::asio::async_read(connection.socket, boost::asio::buffer(connection.length),
                                [this, &connection](auto failed, std::size_t) {
                                    if (!failed) read(connection);
                                });
    }

    void read(Connection& connection) {
        connection.bytes.resize(connection.length[0] * 256u + connection.length[1]);
        boost::asio::async_read(connection.socket, boost::asio::buffer(connection.bytes),
                                [this, &connection](auto failed, std::size_t) {
                                    if (failed) return;
                                    questions.push_back(parse(connection.bytes, true));
                                    for (auto const& message : answer(questions.back())) {
                                        std::string const length{static_cast<char>(message.size() / 256),
                                                                 static_cast<char>(message.size() % 256)};
                                        boost::asio::write(connection.socket, boost::asio::buffer(length + message));
                                    }
                                    next(connection);
                                });
    }

    boost::asio::ip::udp::socket udp_;
    boost::asio::ip::tcp::acceptor tcp_;
    boost::asio::ip::udp::endpoint from_;
    std::array<char, 2048> buffer_{};
    std::list<Connection> connections_;
};

}  // namespace rqfs::tests
