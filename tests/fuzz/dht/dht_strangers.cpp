// What strangers send to the Dht of a DhtSession.
#include "tests/fuzz/dht/dht_session.h"
#include "tests/fuzz/dht/stranger_messages.h"
#include "tests/fuzz/require.h"
#include "torrent/dht/dht_node.h"

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

namespace rqfs::tests {

using namespace torrent;
using namespace std::chrono_literals;

namespace {

// All that it says of itself but how much has come.
auto look_of(Dht const& dht) {
    std::vector<std::tuple<std::string, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t,
                           std::uint32_t, std::uint64_t>>
        look;
    for (auto const& each : dht.status())
        look.emplace_back(each.id, each.good, each.questionable, each.bad, each.replacements, each.lookups,
                          each.queries_in_flight, each.sent_bytes);
    return look;
}

}  // namespace

void DhtSession::query() {
    auto const kind = input_.next();
    auto const from = place(input_.next());
    inject(from, encoded(stranger_query(*model_, kind, from, input_.next())));
}

// Many at once, from hardly any address twice; who announces has asked for a token before.
void DhtSession::crowd() {
    auto const kind = input_.next();
    auto const count = 1 + input_.next() * 2u;
    auto const about = input_.next();
    auto const who = input_.next() * 4'096u;
    for (std::uint32_t i = 0; i < count; ++i) {
        auto const from = crowd_place(who + i);
        auto const varied = static_cast<std::uint8_t>((about & 1) != 0 ? about + i * 8 : about);
        if (kind % 5 == 3) {
            inject(from, encoded(stranger_query(*model_, 2, from, varied)));
            pass(20ms);
        }
        auto query = stranger_query(*model_, kind, from, varied & 0xf7);
        if ((kind & 128) != 0) query.target = any_id(random_);
        inject(from, encoded(query));
        pass(kind % 5 == 3 ? 0ms : 1ms);
        model_->settled();
    }
}

std::optional<DhtModel::Asked> DhtSession::pick_asked() {
    auto const& asked = model_->asked();
    auto const which = input_.next();
    if (asked.empty()) return std::nullopt;
    return asked[which % asked.size()];
}

void DhtSession::reply() {
    auto const asked = pick_asked();
    auto const how = input_.next();
    if (asked) inject(asked->to, encoded(stranger_reply(*asked, how, random_)));
}

void DhtSession::refuse() {
    auto const asked = pick_asked();
    if (asked) inject(asked->to, encoded(KrpcError{asked->query.transaction, 203, "no"}));
}

// Whoever answers what he was not asked is not heard: nothing changes.
void DhtSession::stray_reply() {
    auto const asked = pick_asked();
    auto const wrong = input_.next();
    if (!asked) return;
    auto reply = stranger_reply(*asked, wrong, random_);
    auto from = asked->to;
    if (wrong % 3 == 0) reply.transaction.front() = static_cast<char>(reply.transaction.front() ^ 1);
    if (wrong % 3 == 1) ++from.port;
    if (wrong % 3 == 2) from = crowd_place(100'000);
    auto const knows = [&] {
        return std::any_of(model_->asked().begin(), model_->asked().end(), [&](auto const& each) {
            return each.to == from && each.query.transaction == reply.transaction;
        });
    };
    if (knows()) return;
    pass(0s);
    auto const before = look_of(*dht_);
    auto const told = told_;
    inject(from, encoded(reply));
    pass(0s);
    require(look_of(*dht_) == before && told_ == told, "an answer to nothing changes nothing");
}

void DhtSession::raw() {
    auto const from = place(input_.next());
    inject(from, input_.take(input_.next()));
}

void DhtSession::broken_reply() {
    auto const asked = pick_asked();
    auto const where = input_.next();
    auto const what = input_.next();
    if (!asked) return;
    auto bytes = encoded(stranger_reply(*asked, where, random_));
    bytes[where * 3u % bytes.size()] = static_cast<char>(what);
    inject(asked->to, std::move(bytes));
}

// Everybody answers, half of them, with lies, refusing, as if they were we, with another transaction, too much.
void DhtSession::network(Endpoint const& to, KrpcQuery const& query) {
    if (mode_ == 0 || (mode_ == 2 && std::hash<Endpoint>()(to) % 2 == 0)) return;
    if (mode_ == 4) return inject(to, encoded(KrpcError{query.transaction, 202, "no"}));
    DhtModel::Asked const asked{to, query, clock_.now()};
    auto reply = stranger_reply(asked, mode_ == 3 ? 4 + 1 : 1, random_);
    if (query.method == KrpcMethod::get_peers) reply.values = {place(static_cast<std::uint8_t>(random_() % 128))};
    if (mode_ == 5) reply.id = query.id;
    if (mode_ == 6) reply.transaction += 'x';
    if (mode_ == 7) reply.values.assign(120, place(1));
    inject(to, encoded(reply));
}

}  // namespace rqfs::tests
