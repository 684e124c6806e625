#include "torrent/net/nat_pmp_mapper.h"

#include "torrent/endpoint.h"
#include "torrent/error.h"
#include "torrent/timeout.h"

#include <natpmp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

// The library tries nine times within 64 s (RFC 6886, 3.1); whoever speaks it answers within milliseconds.
constexpr int kTries = 4;
constexpr int kLateAnswers = 16;  // there are fewer than kTries, unless somebody floods us

in_addr_t raw(Address const& address) {
    in_addr_t value = 0;
    std::memcpy(&value, address.bytes().data(), sizeof value);
    return value;
}

std::string sentence_of(int code) {
    switch (code) {
        case NATPMP_ERR_NOTAUTHORIZED: return "the router does not allow NAT-PMP";
        case NATPMP_ERR_NETWORKFAILURE: return "the router has no address by NAT-PMP";
        case NATPMP_ERR_OUTOFRESOURCES: return "the router has no port left by NAT-PMP";
        case NATPMP_ERR_SENDERR:
        case NATPMP_ERR_RECVFROM:
        case NATPMP_ERR_CONNECTERR:
        case NATPMP_ERR_NOGATEWAYSUPPORT: return "the router does not answer NAT-PMP";
        default: return "the router's NAT-PMP failed with code " + std::to_string(code);
    }
}

void check(int code) {
    if (code < 0) throw_error(Errc::refused, sentence_of(code));
}

// The library has read all of an answer: what was asked for, or the number of a failure.
bool has_epoch(int code) {
    return code == 0 || (code <= NATPMP_ERR_UNDEFINEDERROR && code >= NATPMP_ERR_OUTOFRESOURCES);
}

std::optional<Address> address_of(natpmpresp_t const& response) {
    auto const address = response.pnu.publicaddress.addr.s_addr;
    if (address == 0) return std::nullopt;
    return *Address::from_bytes(std::as_bytes(std::span(&address, 1)));
}

}  // namespace

// One question at a time, over a socket that is connected to the router.
struct NatPmpMapper::Conversation {
    Conversation(asio::any_io_executor const& executor, Clock& time, NatPmpEpoch& heard, Router const& router,
                 InterfaceBinding const& binding)
        : clock(time), epoch(heard), readable(executor) {
        start(router);
        readable.assign(library.s);
        if (!binding.none()) tie(router, binding);
    }

    // Where the library cannot connect it leaves its socket open.
    void start(Router const& router) {
        int const code = initnatpmp(&library, 1, raw(router.address));
        if (code < 0 && code != NATPMP_ERR_SOCKETERROR) closenatpmp(&library);
        check(code);
    }

    // The library connects at once: once more, now through the interface.
    void tie(Router const& router, InterfaceBinding const& binding) const {
        sockaddr const nobody{AF_UNSPEC, {}};
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(NATPMP_PORT);
        to.sin_addr.s_addr = raw(router.address);
        if (::connect(library.s, &nobody, sizeof nobody) != 0 || binding.tie_outgoing(library.s, false) ||
            ::connect(library.s, reinterpret_cast<sockaddr const*>(&to), sizeof to) != 0)
            check(NATPMP_ERR_CONNECTERR);
    }

    // A question that was asked twice is answered twice: the second answer would be taken for one to what is asked
    // minutes later, and its epoch for that of a router that has lost its table.
    void forget_late_answers() const {
        std::byte ignored{};
        for (int i = 0; i < kLateAnswers; ++i)
            if (::recv(library.s, &ignored, sizeof ignored, MSG_DONTWAIT) < 0 && errno != ECONNREFUSED) return;
    }

    asio::awaitable<natpmpresp_t> public_address() {
        forget_late_answers();
        check(sendpublicaddressrequest(&library));
        return answer(NATPMP_RESPTYPE_PUBLICADDRESS);
    }

    asio::awaitable<natpmpresp_t> mapping(PortRequest const& request, std::uint16_t external, std::uint32_t lifetime) {
        bool const tcp = request.protocol == TransportProtocol::tcp;
        forget_late_answers();
        check(sendnewportmappingrequest(&library, tcp ? NATPMP_PROTOCOL_TCP : NATPMP_PROTOCOL_UDP,
                                        request.internal_port, external, lifetime));
        return answer(tcp ? NATPMP_RESPTYPE_TCPPORTMAPPING : NATPMP_RESPTYPE_UDPPORTMAPPING);
    }

    asio::awaitable<natpmpresp_t> answer(std::uint16_t type) {
        for (;;) {
            natpmpresp_t response{};
            int const code = readnatpmpresponseorretry(&library, &response);
            if (has_epoch(code)) epoch.answered(response.epoch, clock.now());
            if (code != NATPMP_TRYAGAIN) check(code);
            if (code != NATPMP_TRYAGAIN && response.type == type) co_return response;
            // The answer to an earlier question, which was asked twice.
            library.has_pending_request = 1;
            if (library.try_number > kTries) check(NATPMP_ERR_NOGATEWAYSUPPORT);
            co_await wait();
        }
    }

    // Until something came, or the library wants to ask again.
    asio::awaitable<void> wait() {
        timeval left{};
        check(getnatpmprequesttimeout(&library, &left));
        auto const until = std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
        auto const limit = std::max<std::chrono::microseconds>(until, std::chrono::milliseconds(1));
        auto something = wait_readable();
        try {
            co_await with_timeout(clock, std::move(something), limit, "");
        } catch (boost::system::system_error const& e) {
            if (e.code() != make_error_code(Errc::timed_out)) throw;
        }
    }

    asio::awaitable<void> wait_readable() {
        co_await readable.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    }

    Clock& clock;
    NatPmpEpoch& epoch;
    natpmp_t library{};
    asio::posix::stream_descriptor readable;  // owns the library's socket
};

NatPmpMapper::NatPmpMapper(asio::any_io_executor executor, Clock& clock, InterfaceBinding binding)
    : executor_(std::move(executor)), clock_(clock), binding_(std::move(binding)) {}

NatPmpMapper::~NatPmpMapper() = default;

asio::awaitable<std::optional<Address>> NatPmpMapper::open(Router router) {
    if (router_ != router.address) epoch_ = NatPmpEpoch();
    router_ = router.address;
    conversation_ = std::make_unique<Conversation>(executor_, clock_, epoch_, router, binding_);
    auto const response = co_await conversation_->public_address();
    co_return address_of(response);
}

asio::awaitable<PortAnswer> NatPmpMapper::map(PortRequest request) {
    // What lasts for ever is unknown to NAT-PMP, where a lifetime of 0 takes a mapping away.
    auto const lifetime = static_cast<std::uint32_t>(request.lifetime.count());
    if (lifetime == 0) throw_error(Errc::unsupported, "NAT-PMP has no mappings for ever");
    auto const response = co_await conversation_->mapping(request, request.external_port, lifetime);
    auto const& given = response.pnu.newportmapping;
    if (given.privateport != request.internal_port || given.mappedpublicport == 0 || given.lifetime == 0)
        throw_error(Errc::malformed, "the router maps something by NAT-PMP that was not asked for");
    PortAnswer answer;
    answer.external_port = given.mappedpublicport;
    answer.lifetime = std::chrono::seconds(given.lifetime);
    answer.table_lost = epoch_.take_lost();
    co_return answer;
}

asio::awaitable<PortState> NatPmpMapper::ask_after(PortRequest) {
    PortState state;
    try {
        auto const response = co_await conversation_->public_address();
        state.external = address_of(response);
        state.kept = !epoch_.take_lost();
    } catch (boost::system::system_error const& e) {
        // Just started, a router may say that it has no address yet.
        if (e.code() == asio::error::operation_aborted || !epoch_.take_lost()) throw;
        state.kept = false;
    }
    co_return state;
}

asio::awaitable<void> NatPmpMapper::unmap(PortRequest request) { co_await conversation_->mapping(request, 0, 0); }

}  // namespace rqfs::torrent
