#pragma once

#include <boost/asio/io_context.hpp>

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::tests {

// The kernel's end of a FUSE connection over a pair of sockets: sends requests as /dev/fuse would and collects the
// replies. The other end is for FuseSession::attach(). Runs the engine while it waits.
class FakeKernel {
public:
    struct Reply {
        int error = 0;  // an errno, positive
        std::string data;
    };
    using Unique = std::uint64_t;

    explicit FakeKernel(boost::asio::io_context& engine);
    FakeKernel(FakeKernel const&) = delete;
    FakeKernel& operator=(FakeKernel const&) = delete;
    ~FakeKernel();

    int session_descriptor() const { return session_; }
    pid_t thread;  // whose requests the following are; this process at first

    void initialize();
    Unique lookup(std::uint64_t parent, std::string const& name);
    Unique getattr(std::uint64_t node);
    Unique readlink(std::uint64_t node);
    Unique open(std::uint64_t node, std::uint32_t flags = 0);
    Unique read(std::uint64_t node, std::uint64_t handle, std::uint64_t offset, std::uint32_t bytes);
    Unique flush(std::uint64_t node, std::uint64_t handle);
    Unique release(std::uint64_t node, std::uint64_t handle);
    Unique readdir(std::uint64_t node, std::uint64_t offset, std::uint32_t bytes, bool plus = false);
    Unique statfs();
    Unique getxattr(std::uint64_t node, std::string const& name, std::uint32_t room);
    Unique listxattr(std::uint64_t node, std::uint32_t room);
    void forget(std::uint64_t node, std::uint64_t times);
    void interrupt(Unique request);
    Unique send(std::uint32_t operation, std::uint64_t node, std::string const& arguments);

    // The reply, once it is there; throws after 10 s. Each can be had once.
    Reply wait(Unique request);
    // Lets the engine do what it can now, and takes the replies.
    void turn();
    bool answered(Unique request);
    std::size_t replies() const { return replies_.size(); }  // not taken yet
    std::size_t notices() const { return notices_; }         // of forgotten names and data
    bool answered_twice() const { return answered_twice_; }

    // What is in replies.
    static std::uint64_t node_of(Reply const& entry);
    static std::uint64_t handle_of(Reply const& opened);
    static std::vector<std::string> names_of(Reply const& listing, std::uint64_t* next = nullptr);

    // lookup, open, wait.
    std::uint64_t find(std::uint64_t parent, std::string const& name);
    std::uint64_t opened(std::uint64_t node);

    void close();  // as an unmount does

private:
    void take_replies();

    boost::asio::io_context& engine_;
    int kernel_ = -1;
    int session_ = -1;
    Unique last_ = 0;
    std::map<Unique, Reply> replies_;
    std::map<Unique, bool> asked_;  // and whether answered
    std::size_t notices_ = 0;
    bool answered_twice_ = false;
};

}  // namespace rqfs::tests
