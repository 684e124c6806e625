// What comes to the socket of a DispatchSession.
#include "tests/fuzz/dht/stranger_messages.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/udp/dispatch_session.h"
#include "torrent/net/endpoint_conversion.h"
#include "torrent/settings.h"

#include <boost/asio/ip/address_v6.hpp>
#include <boost/asio/ip/udp.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <variant>

namespace rqfs::tests {

using namespace torrent;
using namespace std::chrono_literals;
namespace ip = boost::asio::ip;

namespace {

constexpr std::uint32_t kError = static_cast<std::uint32_t>(UdpAction::error);

std::string four(std::uint32_t value) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
    return out;
}

std::string head(std::uint32_t action, std::uint32_t transaction) { return four(action) + four(transaction); }

// As the kernel gives an IPv4 sender to a socket of both families.
Endpoint mapped(Endpoint const& from) {
    ip::address_v6::bytes_type bytes{};
    bytes[10] = bytes[11] = 0xff;
    std::copy(from.address.bytes().begin(), from.address.bytes().end(), bytes.begin() + 12);
    return from_asio(ip::udp::endpoint(ip::address_v6(bytes), from.port));
}

Endpoint link_local(std::uint8_t number) {
    ip::address_v6::bytes_type bytes{0xfe, 0x80};
    bytes[15] = number;
    return from_asio(ip::udp::endpoint(ip::address_v6(bytes, 2), 6881));
}

bool is_dictionary(std::string const& bytes) { return !bytes.empty() && bytes.front() == 'd'; }

}  // namespace

void DispatchSession::deliver(Endpoint const& from, std::string const& bytes) {
    auto const now = clock_.now();
    bool const awaited = node_answers(from, bytes);
    if (is_dictionary(bytes)) nodes_.comes(from, bytes, now);
    auto const delivery = udp_.deliver(from, bytes);
    nodes_.settled();
    judge(from, bytes, delivery, awaited);
}

bool DispatchSession::node_answers(Endpoint const& from, std::string const& bytes) const {
    auto const message = parse_krpc(std::as_bytes(std::span(bytes)));
    if (!message || std::holds_alternative<KrpcQuery>(*message)) return false;
    auto const* const reply = std::get_if<KrpcReply>(&*message);
    auto const& transaction = reply ? reply->transaction : std::get<KrpcError>(*message).transaction;
    auto const& asked = nodes_.asked();
    return std::any_of(asked.begin(), asked.end(), [&](auto const& each) {
        return each.to == from && each.query.transaction == transaction &&
               clock_.now() - each.sent < limit::kDhtQueryTimeout;
    });
}

void DispatchSession::judge(Endpoint const& from, std::string const& bytes, SharedUdp::Delivery const& delivery,
                            bool node_answers) {
    auto const by_tracker = delivery.taken == UdpUser::tracker;
    auto const by_dht = delivery.taken == UdpUser::dht;
    require(delivery.offered.size() == (by_tracker ? 1 : 2), "whoever was there first is asked first");
    require(!by_tracker || bytes.front() == '\0', "trackers' messages begin with a number below 4");
    require(!by_dht || is_dictionary(bytes), "nodes' messages are dictionaries");
    require(!by_dht || (bytes.size() <= limit::kDhtDatagramBytes && from.port != 0), "others are no node's");
    require(by_dht || !node_answers, "what a node answers reaches who asked it");
    for (auto const& each : delivery.sent)
        require(each.by == delivery.taken, "who does not take a datagram says nothing");
    trackers_.came(from, bytes, by_tracker, clock_.now());
}

// The forms in which one place may show: as it is, without a port, as the kernel maps it, or of a link.
Endpoint DispatchSession::source() {
    auto const where = input_.next();
    auto const form = input_.next();
    auto from = (form & 4) != 0 ? tracker_place(where) : place(where);
    if (form % 4 == 1) from.port = 0;
    if (form % 4 == 2 && !from.address.is_v6()) {
        require(mapped(from) == from, "a mapped address is the IPv4 one");
        from = mapped(from);
    }
    return form % 4 == 3 ? link_local(where) : from;
}

void DispatchSession::raw() {
    auto const from = source();
    auto const bytes = input_.take(input_.next());
    deliver(from, bytes);
}

void DispatchSession::query() {
    auto const kind = input_.next();
    auto const from = source();
    deliver(from, encoded(stranger_query(nodes_, kind, from, input_.next())));
}

// Of one, of a few or of a crowd: what nobody takes, what the DHT looks at, or queries.
void DispatchSession::flood() {
    auto const count = 1 + input_.next() * 4u;
    auto const what = input_.next();
    auto const who = input_.next();
    for (std::uint32_t i = 0; i < count; ++i) {
        auto const varied = static_cast<std::uint8_t>(i);
        auto from = (who & 1) != 0 ? crowd_place(i) : (who & 2) != 0 ? place(varied) : place(who);
        if ((who & 4) != 0) from = tracker_place(varied);
        if (what % 4 == 0)
            deliver(from, head(what / 4 % 5, static_cast<std::uint32_t>(random_())) + std::string(12, 'x'));
        if (what % 4 == 1) deliver(from, std::string(1 + what * 8u, 'd'));
        if (what % 4 > 1) deliver(from, encoded(stranger_query(nodes_, what / 4, from, what % 4 == 2 ? what : varied)));
        if ((who & 8) != 0) pass(1ms);
    }
}

std::optional<DhtModel::Asked> DispatchSession::pick_query() {
    auto const which = input_.next();
    auto const& asked = nodes_.asked();
    if (asked.empty()) return std::nullopt;
    return asked[which % asked.size()];
}

std::optional<TrackerModel::Asked> DispatchSession::pick_request() {
    auto const which = input_.next();
    auto const& asked = trackers_.asked();
    if (asked.empty()) return std::nullopt;
    return asked[which % asked.size()];
}

void DispatchSession::node_reply() {
    auto const asked = pick_query();
    auto const how = input_.next();
    if (asked) deliver(asked->to, encoded(stranger_reply(*asked, how, random_)));
}

// A right one; an error; of another action; cut short; with too many peers; begun like a dictionary.
std::string DispatchSession::tracker_answer(TrackerModel::Asked const& asked, std::uint8_t how) {
    auto const action = static_cast<std::uint32_t>(asked.action);
    if (how % 8 == 3) return head(kError, asked.transaction) + std::string(how * 4u, 'e');
    auto bytes = head(how % 8 == 4 ? (action + 1) % 3 : action, asked.transaction);
    bytes += four(static_cast<std::uint32_t>(random_())) + four(how) + four(static_cast<std::uint32_t>(random_()));
    std::size_t const peers = how % 8 == 6 ? 450 : how / 8;
    for (std::size_t i = 0; i < peers; ++i)
        bytes += four(static_cast<std::uint32_t>(random_())) + std::string(2, '\x1b');
    if (how % 8 == 5) bytes.resize(how / 8);
    if (how % 8 == 7) bytes.front() = 'd';
    return bytes;
}

// From the tracker, once or twice, from another port, or from somebody else.
void DispatchSession::tracker_reply() {
    auto const asked = pick_request();
    auto const how = input_.next();
    auto const whence = input_.next();
    if (!asked) return;
    auto from = asked->to;
    if (whence % 4 == 1) ++from.port;
    if (whence % 4 == 2) from.address = place(whence / 4).address;
    auto const bytes = tracker_answer(*asked, how);
    deliver(from, bytes);
    if (whence % 4 == 3) deliver(from, bytes);
}

// What would be right from the one, from the other, or in the other's form.
void DispatchSession::crossed() {
    auto const request = pick_request();
    auto const query = pick_query();
    auto const how = input_.next();
    if (!request || !query) return;
    auto const transaction = four(request->transaction);
    switch (how % 6) {
        case 0: return deliver(request->to, encoded(stranger_reply(*query, how, random_)));
        case 1: return deliver(query->to, tracker_answer(*request, static_cast<std::uint8_t>(how / 6)));
        case 2: return deliver(request->to, "d1:a" + transaction + "e");
        case 3: return deliver(query->to, four(how / 6) + query->query.transaction + std::string(16, 'x'));
        case 4: return deliver(request->to, encoded(KrpcError{transaction, 201, "no"}));
        default: {
            auto reply = stranger_reply(*query, how, random_);
            reply.transaction = transaction;
            return deliver(query->to, encoded(reply));
        }
    }
}

// What we sent comes back to us.
void DispatchSession::echo() {
    auto const whose = input_.next();
    auto const from = source();
    auto const sent = last_sent_[whose % 2];
    if (sent) deliver((whose & 2) != 0 ? from : sent->to, sent->bytes);
}

}  // namespace rqfs::tests
