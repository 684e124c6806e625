#include "tests/fuzz/require.h"
#include "torrent/hash.h"
#include "torrent/peer/metadata_exchange.h"
#include "torrent/peer/metadata_message.h"
#include "torrent/settings.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

using namespace rqfs::torrent;
using rqfs::tests::require;

namespace {

void try_message(std::span<std::byte const> bytes) {
    auto const parsed = MetadataMessage::parse(bytes);
    if (!parsed) {
        require(!parsed.error().what.empty(), "a refusal says why");
        return;
    }
    auto const written = parsed->encode();
    auto const again = MetadataMessage::parse(written);
    require(again && again->type == parsed->type && again->piece == parsed->piece &&
                again->total_bytes == parsed->total_bytes,
            "what we write we read");
    require(std::ranges::equal(again->bytes, parsed->bytes), "the same part");
}

template <class Answer>
bool honest_peer_wins(MetadataExchange& exchange, TimePoint& now, Answer const& answer) {
    exchange.peer_joined(PeerHandle(1), 50'000, now);
    for (int i = 0; i < 2'000 && !exchange.finished(); ++i) {
        for (auto const& request : exchange.next_requests(now))
            if (request.peer == PeerHandle(1)) answer(request, true);
        now += std::chrono::seconds(1);
    }
    return exchange.finished();
}

// The bytes as a script: who joins, leaves, answers rightly or wrongly, and how much time passes. The right metadata is
// in the hands of one peer that always answers in the end, and must win.
void try_exchange(std::span<std::byte const> script) {
    std::vector<std::byte> metadata(50'000);
    for (std::size_t i = 0; i < metadata.size(); ++i) metadata[i] = static_cast<std::byte>(i * 31 >> 3);
    MetadataBudget budget;
    MetadataExchange exchange(InfoHash(sha1(metadata)), budget);
    TimePoint now(std::chrono::hours(1));
    std::vector<MetadataExchange::Request> open;
    auto const answer = [&](MetadataExchange::Request const& request, bool rightly) {
        auto const begin = std::min<std::size_t>(std::size_t{request.piece} * kBlockBytes, metadata.size());
        auto part = std::span(metadata).subspan(begin, std::min<std::size_t>(kBlockBytes, metadata.size() - begin));
        std::vector<std::byte> const wrong(part.size(), std::byte{1});
        MetadataMessage const message{MetadataMessage::Type::data, request.piece, 50'000,
                                      rightly ? part : std::span<std::byte const>(wrong)};
        auto const outcome = exchange.received(request.peer, message, now);
        require(outcome.metadata.empty() || outcome.metadata == metadata, "only the right metadata is given out");
    };
    for (std::size_t i = 0; i + 1 < script.size() && i < 400; i += 2) {
        auto const what = std::to_integer<unsigned>(script[i]);
        auto const value = std::to_integer<std::uint32_t>(script[i + 1]);
        PeerHandle const peer(value % 8 + 2);
        switch (what % 6) {
            case 0: exchange.peer_joined(peer, value < 128 ? 50'000 : value * 1000, now); break;
            case 1: exchange.peer_left(peer, now); break;
            case 2: now += std::chrono::milliseconds(value * 40); break;
            case 3: exchange.received(peer, {MetadataMessage::Type::reject, value % 5, 0, {}}, now); break;
            default:
                if (!open.empty()) {
                    auto const at = static_cast<std::ptrdiff_t>(value % open.size());
                    answer(open[static_cast<std::size_t>(at)], what % 6 == 4);
                    open.erase(open.begin() + at);
                }
        }
        for (auto const& request : exchange.next_requests(now)) open.push_back(request);
        if (auto const next = exchange.next_time(now)) require(*next > now, "time goes on");
        require(budget.used_bytes() <= limit::kMetadataSizesPerTorrent * 300'000, "no more than four assemblies");
    }
    require(honest_peer_wins(exchange, now, answer), "an honest peer wins");
    require(budget.used_bytes() == 0, "memory is given back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const bytes = std::as_bytes(std::span(data, size));
    try_message(bytes);
    try_exchange(bytes);
    return 0;
}
