#include "tests/support/fake_kernel.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>
#include <thread>

namespace rqfs::tests {

namespace {

template <class T>
std::string bytes_of(T const& value) {
    return {reinterpret_cast<char const*>(&value), sizeof value};
}

template <class T>
T value_in(std::string const& bytes, std::size_t at = 0) {
    T value = {};
    if (bytes.size() < at + sizeof value) throw std::runtime_error("a reply is too short");
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

std::string with_end(std::string const& name) { return name + '\0'; }

}  // namespace

FakeKernel::FakeKernel(boost::asio::io_context& engine) : thread(::gettid()), engine_(engine) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) throw std::runtime_error("no socket pair");
    kernel_ = pair[0];
    session_ = pair[1];
    ::fcntl(kernel_, F_SETFL, O_NONBLOCK);
}

FakeKernel::~FakeKernel() { close(); }

void FakeKernel::close() {
    if (kernel_ >= 0) ::close(kernel_);
    kernel_ = -1;
}

FakeKernel::Unique FakeKernel::send(std::uint32_t operation, std::uint64_t node, std::string const& arguments) {
    fuse_in_header header = {};
    header.len = static_cast<std::uint32_t>(sizeof header + arguments.size());
    header.opcode = operation;
    header.unique = last_ += 2;  // odd ones are the kernel's interrupts
    header.nodeid = node;
    header.pid = static_cast<std::uint32_t>(thread);
    std::string const message = bytes_of(header) + arguments;
    asked_[header.unique] = false;
    while (::send(kernel_, message.data(), message.size(), 0) < 0) {
        if (errno != EAGAIN) throw std::runtime_error("the session does not listen");
        turn();
    }
    return header.unique;
}

void FakeKernel::initialize() {
    fuse_init_in in = {};
    in.major = 7;
    in.minor = 31;
    in.max_readahead = 131'072;
    in.flags = FUSE_ASYNC_READ | FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO | FUSE_MAX_PAGES;
    auto const reply = wait(send(FUSE_INIT, 0, bytes_of(in)));
    if (reply.error != 0) throw std::runtime_error("the session does not start");
}

FakeKernel::Unique FakeKernel::lookup(std::uint64_t parent, std::string const& name) {
    return send(FUSE_LOOKUP, parent, with_end(name));
}

FakeKernel::Unique FakeKernel::getattr(std::uint64_t node) {
    return send(FUSE_GETATTR, node, bytes_of(fuse_getattr_in{}));
}
FakeKernel::Unique FakeKernel::readlink(std::uint64_t node) { return send(FUSE_READLINK, node, ""); }

FakeKernel::Unique FakeKernel::open(std::uint64_t node, std::uint32_t flags) {
    fuse_open_in in = {};
    in.flags = flags;
    return send(FUSE_OPEN, node, bytes_of(in));
}

FakeKernel::Unique FakeKernel::read(std::uint64_t node, std::uint64_t handle, std::uint64_t offset,
                                    std::uint32_t bytes) {
    fuse_read_in in = {};
    in.fh = handle;
    in.offset = offset;
    in.size = bytes;
    return send(FUSE_READ, node, bytes_of(in));
}

FakeKernel::Unique FakeKernel::flush(std::uint64_t node, std::uint64_t handle) {
    fuse_flush_in in = {};
    in.fh = handle;
    return send(FUSE_FLUSH, node, bytes_of(in));
}

FakeKernel::Unique FakeKernel::release(std::uint64_t node, std::uint64_t handle) {
    fuse_release_in in = {};
    in.fh = handle;
    return send(FUSE_RELEASE, node, bytes_of(in));
}

FakeKernel::Unique FakeKernel::readdir(std::uint64_t node, std::uint64_t offset, std::uint32_t bytes, bool plus) {
    fuse_read_in in = {};
    in.offset = offset;
    in.size = bytes;
    return send(plus ? FUSE_READDIRPLUS : FUSE_READDIR, node, bytes_of(in));
}

FakeKernel::Unique FakeKernel::statfs() { return send(FUSE_STATFS, FUSE_ROOT_ID, ""); }

FakeKernel::Unique FakeKernel::getxattr(std::uint64_t node, std::string const& name, std::uint32_t room) {
    fuse_getxattr_in in = {};
    in.size = room;
    return send(FUSE_GETXATTR, node, bytes_of(in) + with_end(name));
}

FakeKernel::Unique FakeKernel::listxattr(std::uint64_t node, std::uint32_t room) {
    fuse_getxattr_in in = {};
    in.size = room;
    return send(FUSE_LISTXATTR, node, bytes_of(in));
}

void FakeKernel::forget(std::uint64_t node, std::uint64_t times) {
    fuse_forget_in in = {};
    in.nlookup = times;
    asked_.erase(send(FUSE_FORGET, node, bytes_of(in)));
}

void FakeKernel::interrupt(Unique request) {
    fuse_interrupt_in in = {};
    in.unique = request;
    asked_.erase(send(FUSE_INTERRUPT, 0, bytes_of(in)));
}

void FakeKernel::turn() {
    engine_.restart();
    engine_.poll();
    take_replies();
}

void FakeKernel::take_replies() {
    static std::vector<char> buffer(1u << 20);
    for (;;) {
        auto const received = ::recv(kernel_, buffer.data(), buffer.size(), 0);
        if (received <= 0) return;
        std::string const message(buffer.data(), static_cast<std::size_t>(received));
        auto const header = value_in<fuse_out_header>(message);
        if (header.len != message.size()) throw std::runtime_error("a reply says a wrong length");
        if (header.unique == 0) {
            ++notices_;
            continue;
        }
        auto const asked = asked_.find(header.unique);
        if (asked == asked_.end()) continue;  // "ask again" about an interrupt that came before its request
        if (asked->second) answered_twice_ = true;
        asked->second = true;
        replies_[header.unique] = {-header.error, message.substr(sizeof header)};
    }
}

bool FakeKernel::answered(Unique request) {
    turn();
    return replies_.contains(request);
}

FakeKernel::Reply FakeKernel::wait(Unique request) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!answered(request)) {
        if (std::chrono::steady_clock::now() > end) throw std::runtime_error("a request was not answered");
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    auto reply = std::move(replies_.at(request));
    replies_.erase(request);
    return reply;
}

std::uint64_t FakeKernel::node_of(Reply const& entry) { return value_in<fuse_entry_out>(entry.data).nodeid; }
std::uint64_t FakeKernel::handle_of(Reply const& opened) { return value_in<fuse_open_out>(opened.data).fh; }

std::vector<std::string> FakeKernel::names_of(Reply const& listing, std::uint64_t* next) {
    std::vector<std::string> names;
    for (std::size_t at = 0; at < listing.data.size();) {
        auto const entry = value_in<fuse_dirent>(listing.data, at);
        names.push_back(listing.data.substr(at + FUSE_NAME_OFFSET, entry.namelen));
        if (next != nullptr) *next = entry.off;
        at += FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + entry.namelen);
    }
    return names;
}

std::uint64_t FakeKernel::find(std::uint64_t parent, std::string const& name) {
    auto const reply = wait(lookup(parent, name));
    if (reply.error != 0) throw std::runtime_error("no " + name);
    return node_of(reply);
}

std::uint64_t FakeKernel::opened(std::uint64_t node) {
    auto const reply = wait(open(node));
    if (reply.error != 0) throw std::runtime_error("cannot be opened");
    return handle_of(reply);
}

}  // namespace rqfs::tests
