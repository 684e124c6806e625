#pragma once

#include <boost/json/value.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace rqfs::tools {

// One request at a time to the daemon's control socket; connects when needed and again after the daemon closed an idle
// connection.
//
// Throws Failure: the daemon's own sentence for a refused request, kExitNoDaemon when nobody answers at the socket.
class Client {
public:
    // A request that has had no answer for `patience` goes on waiting only if the daemon answers another within as
    // long.
    explicit Client(std::string socket_path, std::chrono::milliseconds patience = std::chrono::seconds(15));
    Client(Client const&) = delete;
    Client& operator=(Client const&) = delete;
    ~Client();

    boost::json::value get(std::string const& target);
    boost::json::value remove(std::string const& target);
    boost::json::value post(std::string const& target, boost::json::value const& body);
    boost::json::value patch(std::string const& target, boost::json::value const& body);
    boost::json::value upload(std::string const& target, std::string content_type, std::string body);

    // The daemon's process, for whoever waits for its end; 0 before the first request.
    int process_id() const;

private:
    struct Connection;
    struct Exchange;

    boost::json::value exchange(Exchange request);
    void connect();
    void finish();
    bool answers_others() const;

    std::string socket_path_;
    std::chrono::milliseconds patience_;
    bool is_probe_ = false;
    std::unique_ptr<Connection> connection_;
};

}  // namespace rqfs::tools
