#include "torrent/net/interface_keeper.h"

#include "torrent/log.h"
#include "torrent/net/interface_trouble.h"
#include "torrent/net/socket_pair.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds kLook{1};

bool is_usable(InterfaceBinding::Attachment const& attachment) {
    return attachment.index != 0 && !attachment.addresses.empty();
}

}  // namespace

InterfaceKeeper::InterfaceKeeper(asio::any_io_executor const& executor, Clock& clock, InterfaceBinding binding,
                                 InterfaceBinding::Attachment opened, Sockets sockets, Look look)
    : clock_(clock),
      binding_(std::move(binding)),
      look_(look ? std::move(look) : [this] { return binding_.now(); }),
      last_(std::move(opened)),
      sockets_(std::move(sockets)),
      tasks_(executor, "interface") {}

void InterfaceKeeper::start() {
    if (binding_.none()) return;
    if (last_.index == 0)
        log().warn("the interface is not there: nothing goes out until it is network.interface={}", binding_.text());
    tasks_.spawn(keep());
}

asio::awaitable<void> InterfaceKeeper::stop() { return tasks_.stop(); }

InterfaceStatus InterfaceKeeper::status() const {
    InterfaceStatus status;
    if (binding_.none()) return status;
    status.setting = binding_.text();
    status.losses = losses_;
    if (changed_) status.changed = std::chrono::duration_cast<std::chrono::seconds>(clock_.now() - *changed_);
    if (is_usable(last_)) {
        status.device = last_.device;
        status.addresses = last_.addresses;
    } else {
        status.trouble = interface_trouble_text(binding_, interface_trouble(binding_));
    }
    return status;
}

asio::awaitable<void> InterfaceKeeper::keep() {
    for (;;) {
        look();
        co_await clock_.sleep(kLook);
    }
}

void InterfaceKeeper::look() {
    auto const now = look_();
    bool const other_device = now.index != last_.index;
    if (now != last_) {
        sockets_.connections.end_where([&](Address const& local) { return other_device || !now.has(local); });
        complained_ = false;
    }
    auto const local = sockets_.udp.local();
    for (std::size_t i = 0; i < local.size(); ++i) {
        bool const wanted = now.serves(local[i].address);
        if (sockets_.udp.is_open(i) && (!wanted || other_device)) close(i);
        if (!sockets_.udp.is_open(i) && wanted) open(i, local[i]);
    }
    if (other_device && now.index == 0)
        log().warn("the interface has gone: nothing goes out until it is back network.interface={}", binding_.text());
    else if (other_device)
        log().info("the interface is there network.interface={} device={}", binding_.text(), now.device);
    if (is_usable(now) != is_usable(last_)) {
        changed_ = clock_.now();
        if (!is_usable(now)) ++losses_;
    }
    last_ = now;
}

void InterfaceKeeper::open(std::size_t number, Endpoint const& at) {
    auto const& executor = tasks_.executor();
    SocketPair pair{asio::ip::tcp::acceptor(executor), asio::ip::udp::socket(executor)};
    boost::system::error_code code;
    if (sockets_.tcp.empty())
        pair.udp = open_udp_socket(executor, at, binding_, code);
    else
        pair = open_socket_pair(executor, at, binding_, code);
    if (code) {
        if (!complained_) log().warn("cannot listen at={} error={}", at.text(), code.message());
        complained_ = true;
        return;
    }
    sockets_.udp.replace(number, std::move(pair.udp));
    if (!sockets_.tcp.empty()) sockets_.tcp[number]->replace(std::move(pair.tcp));
}

void InterfaceKeeper::close(std::size_t number) {
    sockets_.udp.replace(number, asio::ip::udp::socket(tasks_.executor()));
    if (!sockets_.tcp.empty()) sockets_.tcp[number]->replace(asio::ip::tcp::acceptor(tasks_.executor()));
}

}  // namespace rqfs::torrent
