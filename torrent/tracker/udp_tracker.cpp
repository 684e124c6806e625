#include "torrent/tracker/udp_tracker.h"

#include "torrent/error.h"
#include "torrent/event.h"
#include "torrent/hash.h"
#include "torrent/net/placeholder_address.h"
#include "torrent/settings.h"
#include "torrent/timeout.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds kUrgentWait{3};
constexpr std::chrono::seconds kFirstWait{15};  // BEP 15
// 15 and 30 seconds; the rest of BEP 15's eight would keep the next tracker of the tier waiting for two hours.
constexpr std::uint32_t kTries = 2;

// A tracker that answers every datagram with one that leads nowhere gets no more than this of one request.
constexpr std::uint32_t kDatagrams = 8;
constexpr std::size_t kConnectionsKept = 256;
constexpr std::size_t kSilentKept = 4'096;  // of a thousand torrents with four dead trackers each

bool is_error(std::vector<std::byte> const& reply) {
    return parse_udp_head(reply)->action == static_cast<std::uint32_t>(UdpAction::error);
}

std::string why_silent(UdpSocket const& socket, bool reached) {
    if (auto obstacle = socket.obstacle(); !obstacle.empty()) return obstacle;
    return reached ? "the tracker stopped answering" : "the tracker does not answer";
}

AnnounceFailure malformed() { return {"the tracker's reply is too short"}; }

}  // namespace

struct UdpTracker::Transaction {
    Transaction(UdpTracker& tracker, Endpoint const& endpoint, UdpAction awaited, InfoHash const& hash, bool hurried)
        : owner(tracker),
          id(tracker.unused_transaction()),
          to(endpoint),
          action(awaited),
          info_hash(hash),
          urgent(hurried),
          changed(tracker.executor_) {
        owner.transactions_.emplace(id, this);
    }
    Transaction(Transaction const&) = delete;
    Transaction& operator=(Transaction const&) = delete;
    ~Transaction() { owner.transactions_.erase(id); }

    UdpTracker& owner;
    std::uint32_t id;
    Endpoint to;
    UdpAction action;
    InfoHash info_hash;
    bool urgent;
    Event changed;
    std::vector<std::byte> reply;  // empty until it came
    Address from;                  // who sent the reply
};

std::optional<Duration> udp_reply_wait(std::uint32_t tries, bool urgent) {
    if (urgent && tries == 0) return kUrgentWait;
    auto const n = urgent ? tries - 1 : tries;
    if (n >= kTries) return std::nullopt;
    return kFirstWait * (1 << n);
}

UdpTracker::UdpTracker(asio::any_io_executor executor, Clock& clock, UdpSocket& socket)
    : executor_(std::move(executor)), clock_(clock), socket_(socket) {
    socket_.add(*this);
}

UdpTracker::~UdpTracker() { socket_.remove(*this); }

asio::awaitable<AnnounceResult> UdpTracker::announce(std::vector<Endpoint> tracker, std::string target,
                                                     AnnounceRequest request, bool urgent) {
    Question const question{std::move(tracker), UdpAction::announce, std::move(request), std::move(target), urgent};
    auto const reply = co_await ask(question);
    if (reply.failed) {
        AnnounceFailure failure{reply.failure, reply.reached};
        co_return failure;
    }
    auto response = parse_udp_announce(reply.datagram, reply.from.is_v6());
    if (!response) co_return malformed();
    response->from = reply.from;
    co_return std::move(*response);
}

asio::awaitable<ScrapeReply> UdpTracker::scrape(std::vector<Endpoint> tracker, InfoHash info_hash) {
    Question question;
    question.tracker = std::move(tracker);
    question.action = UdpAction::scrape;
    question.request.info_hash = info_hash;
    auto const reply = co_await ask(question);
    ScrapeReply result;
    auto const counts = reply.failed ? std::nullopt : parse_udp_scrape(reply.datagram);
    if (counts)
        result.counts = *counts;
    else
        result.failure = reply.failed ? reply.failure : malformed().what;
    co_return result;
}

void UdpTracker::hurry(InfoHash const& info_hash) {
    for (auto const& [id, transaction] : transactions_) {
        if (transaction->info_hash != info_hash || transaction->urgent) continue;
        transaction->urgent = true;
        transaction->changed.notify();
    }
}

bool UdpTracker::datagram(Endpoint const& from, std::span<std::byte const> bytes) {
    auto const head = parse_udp_head(bytes);
    auto const found = head ? transactions_.find(head->transaction) : transactions_.end();
    if (found == transactions_.end()) return false;
    auto& transaction = *found->second;
    bool const expected = head->action == static_cast<std::uint32_t>(transaction.action);
    if (!may_answer_for(from, transaction.to) || (!expected && head->action != static_cast<std::uint32_t>(UdpAction::error)))
        return false;
    silent_.erase(transaction.to);
    if (transaction.reply.empty()) {
        transaction.reply.assign(bytes.begin(), bytes.end());
        transaction.from = from.address;
    }
    transaction.changed.notify();
    return true;
}

// Connects where no connection is young enough, then asks; one count of tries over both, as BEP 15 has it.
asio::awaitable<UdpTracker::Reply> UdpTracker::ask(Question const& question) {
    Reply result;
    bool urgent = question.urgent;
    std::optional<Endpoint> fresh;  // connected by this very request
    std::uint32_t tries = 0;
    for (std::uint32_t sent = 0; sent < kDatagrams; ++sent) {
        result.failure = why_silent(socket_, result.reached);
        if (!socket_.obstacle().empty() || !udp_reply_wait(tries, urgent)) co_return result;
        auto const to = choose(question.tracker);
        auto const connection = connection_to(to);
        Transaction transaction(*this, to, connection ? question.action : UdpAction::connect,
                                question.request.info_hash, urgent);
        socket_.send(to, encode(question, connection, transaction.id));
        co_await wait_for_reply(transaction, tries);
        urgent = transaction.urgent;
        if (transaction.reply.empty()) {
            ++tries;
            continue;
        }
        result.reached = true;
        if (is_error(transaction.reply)) {
            connections_.erase(to);
            result.failure = parse_udp_error(transaction.reply);
            if (!connection || fresh == to) co_return result;  // else the connection may only have been too old for it
        } else if (connection) {
            result.failed = false;
            result.datagram = std::move(transaction.reply);
            result.from = transaction.from;
            co_return result;
        } else if (auto const id = parse_udp_connect(transaction.reply)) {
            connected(to, *id);
            fresh = to;
        } else {
            result.failure = malformed().what;
            co_return result;
        }
    }
    result.failure = "the tracker answers without end";
    co_return result;
}

namespace {

asio::awaitable<void> wait_until_changed(Event& changed, std::vector<std::byte> const& reply, bool const& urgent,
                                         bool before) {
    while (reply.empty() && urgent == before) co_await changed.wait();
}

}  // namespace

// Returns with the reply, or without one when its time is over.
asio::awaitable<void> UdpTracker::wait_for_reply(Transaction& transaction, std::uint32_t tries) {
    auto const sent = clock_.now();
    while (transaction.reply.empty()) {
        auto const end = sent + udp_reply_wait(tries, transaction.urgent).value_or(Duration::zero());
        if (clock_.now() >= end) co_return heard_nothing_of(transaction.to);
        try {
            auto waiting =
                wait_until_changed(transaction.changed, transaction.reply, transaction.urgent, transaction.urgent);
            co_await with_timeout(clock_, std::move(waiting), end - clock_.now(), std::string());
        } catch (boost::system::system_error const& e) {
            if (e.code() != make_error_code(Errc::timed_out)) throw;
        }
    }
}

// The first of those that answer; else the one whose silence is the oldest.
Endpoint UdpTracker::choose(std::vector<Endpoint> const& tracker) const {
    auto const silence = [this](Endpoint const& endpoint) {
        auto const found = silent_.find(endpoint);
        return found == silent_.end() ? TimePoint::min() : found->second;
    };
    return *std::min_element(tracker.begin(), tracker.end(),
                             [&](auto const& a, auto const& b) { return silence(a) < silence(b); });
}

void UdpTracker::heard_nothing_of(Endpoint const& tracker) {
    if (silent_.size() >= kSilentKept) silent_.clear();
    silent_[tracker] = clock_.now();
}

std::vector<std::byte> UdpTracker::encode(Question const& question, std::optional<std::uint64_t> connection,
                                          std::uint32_t transaction) const {
    if (!connection) return encode_udp_connect(transaction);
    if (question.action == UdpAction::scrape)
        return encode_udp_scrape(*connection, transaction, question.request.info_hash);
    return encode_udp_announce(*connection, transaction, question.request, question.target);
}

std::optional<std::uint64_t> UdpTracker::connection_to(Endpoint const& tracker) {
    auto const found = connections_.find(tracker);
    if (found == connections_.end() || found->second.until <= clock_.now()) return std::nullopt;
    return found->second.id;
}

void UdpTracker::connected(Endpoint const& tracker, std::uint64_t id) {
    auto const now = clock_.now();
    if (connections_.size() >= kConnectionsKept)
        std::erase_if(connections_, [&](auto const& each) { return each.second.until <= now; });
    if (connections_.size() >= kConnectionsKept) connections_.clear();
    connections_[tracker] = {id, now + limit::kUdpConnectionId};
}

// Nobody can guess it, so nobody but the tracker can answer.
std::uint32_t UdpTracker::unused_transaction() const {
    for (;;) {
        std::array<std::byte, 4> bytes{};
        fill_random(bytes);
        std::uint32_t id = 0;
        for (auto const byte : bytes) id = id << 8 | std::to_integer<std::uint32_t>(byte);
        if (!transactions_.contains(id)) return id;
    }
}

}  // namespace rqfs::torrent
