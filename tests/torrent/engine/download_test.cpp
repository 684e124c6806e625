#include "torrent/download.h"

#include "tests/support/make_torrent.h"
#include "tests/support/memory_store.h"
#include "tests/support/run_virtual.h"
#include "tests/support/virtual_clock.h"
#include "torrent/log.h"
#include "torrent/settings.h"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::make_torrent;

// A download whose peers are what the test says of them; of requests it hears.
class Downloads : public testing::Test, protected Download::Owner {
protected:
    void begin(tests::TorrentOptions const& options) {
        made = make_torrent(options);
        Download::Parts parts{engine.get_executor(), clock, workers, store, shared_log(), statistics};
        download = std::make_unique<Download>(std::move(parts), made.metainfo, static_cast<Download::Owner&>(*this));
        download->start();
    }
    void TearDown() override {
        if (download) tests::run_virtual(engine, clock, download->stop());
    }

    PeerHandle peer_with(std::optional<PieceIndex> only = {}) {
        PeerHandle const peer(++peers);
        auto& picker = download->picker();
        picker.peer_joined(peer, {.fast = true, .max_requests = 250}, clock.now());
        only ? picker.peer_has(peer, *only) : picker.peer_has_all(peer);
        picker.peer_chokes(peer, false, clock.now());
        download->replan();
        return peer;
    }
    // Answers the peer's oldest request, if it lies with another byte; false when it was asked nothing.
    bool answer(PeerHandle peer, bool lies = false) {
        if (asked[peer].empty()) return false;
        auto const block = asked[peer].front();
        asked[peer].pop_front();
        auto const& layout = made.metainfo->pieces();
        auto const begin = layout.range(block.piece).begin + std::uint64_t{block.block.value()} * kBlockBytes;
        auto const truth = std::span(made.data).subspan(begin, layout.bytes(block));
        std::vector<std::byte> bytes(truth.begin(), truth.end());
        if (lies) bytes[bytes.size() / 2] ^= std::byte{static_cast<unsigned char>(peer.value())};
        download->block(peer, block, bytes, Duration::zero());
        download->replan();
        return true;
    }
    std::size_t requests() const {
        std::size_t count = 0;
        for (auto const& [peer, blocks] : asked) count += blocks.size();
        return count;
    }

    void carry_out(PiecePicker::Order const& order) override {
        if (order.kind == PiecePicker::Order::Kind::request)
            asked[order.peer].push_back(order.block);
        else
            std::erase(asked[order.peer], order.block);
    }
    void wishes_changed() override {}
    void piece_stored(PieceIndex) override {}
    void pieces_gone(std::span<PieceIndex const>) override {}
    void ban_peer(PeerHandle peer, std::string const&) override { banned.insert(peer); }
    void store_condition_changed() override {}

    boost::asio::io_context engine{1};
    tests::VirtualClock clock;
    Workers workers{engine.get_executor()};
    tests::MemoryStore store;
    Statistics statistics;
    tests::MadeTorrent made;
    std::unique_ptr<Download> download;
    std::uint32_t peers = 0;
    std::map<PeerHandle, std::deque<BlockAddress>> asked;
    std::set<PeerHandle> banned;
};

// What a silent peer owes is asked of another: no block and no message comes that would make a plan.
TEST_F(Downloads, PlansWhileSomebodyWaitsThoughNothingHappens) {
    begin({.bytes = 8 << 20, .piece_bytes = 1 << 20});
    auto const quick = peer_with();
    auto const other = peer_with();
    download->set_urgent(true);
    download->set_wishes(ReaderId(1), {{PieceIndex(0), clock.now(), Urgency::blocked_player}});
    for (int i = 0; i < 24; ++i) {
        answer(quick);
        answer(other);
        clock.run_for(engine, 5ms);
    }
    while (answer(quick)) clock.run_for(engine, 1ms);
    ASSERT_FALSE(asked[other].empty()) << "it has fallen silent";
    ASSERT_FALSE(download->have().test(PieceIndex(0)));

    clock.run_for(engine, 3s);

    EXPECT_FALSE(asked[quick].empty());
}

// Three of eight lie in all they send, each in its own way. A reader has the piece after the second try, in which two have
// to agree on every block.
TEST_F(Downloads, OfManyOfWhomSomeLieTheSecondTryIsGoodAndShowsTheLiars) {
    begin({.bytes = 4 << 20, .piece_bytes = 1 << 20});
    std::set<PeerHandle> liars;
    for (int i = 0; i < 8; ++i) {
        auto const peer = peer_with();
        if (i % 3 == 1) liars.insert(peer);
    }
    download->set_urgent(true);
    download->set_wishes(ReaderId(1), {{PieceIndex(0), clock.now(), Urgency::blocked_player}});

    for (int i = 0; i < 1000 && !download->have().test(PieceIndex(0)); ++i) {
        for (std::uint32_t peer = 1; peer <= peers; ++peer) answer(PeerHandle(peer), liars.contains(PeerHandle(peer)));
        clock.run_for(engine, 5ms);
    }
    clock.run_for(engine, 100ms);

    EXPECT_TRUE(download->have().test(PieceIndex(0)));
    EXPECT_EQ(statistics.received.failed_hash, 1u << 20) << "the first try, and no other";
    EXPECT_EQ(banned, liars);
    for (std::uint32_t peer = 1; peer <= peers; ++peer) EXPECT_FALSE(download->suspected(PeerHandle(peer))) << peer;
}

// Who may have lied is put on parole when the hash is reckoned: whoever has left by then is on none.
TEST_F(Downloads, APeerThatLeftWhileItsPieceWasHashedIsNotOnParole) {
    begin({.bytes = 1 << 20, .piece_bytes = 1 << 20});
    auto const liar = peer_with();
    auto const other = peer_with();
    download->set_wishes(ReaderId(1), {{PieceIndex(0), clock.now(), Urgency::blocked_player}});
    auto const blocks = made.metainfo->pieces().blocks(PieceIndex(0));
    std::uint32_t answered = 0;
    for (int i = 0; i < 1000 && answered < blocks; ++i) {
        for (auto const peer : {liar, other})
            if (answered < blocks && answer(peer, peer == liar)) ++answered;
        if (answered < blocks) clock.run_for(engine, 1ms);
    }
    ASSERT_EQ(statistics.received.failed_hash, 0u) << "it is not hashed yet";

    download->peer_left(liar);
    clock.run_for(engine, 100ms);

    EXPECT_EQ(statistics.received.failed_hash, 1u << 20);
    EXPECT_TRUE(download->suspected(other)) << "who stayed is";
    EXPECT_FALSE(download->suspected(liar));
}

// Each piece is held in memory until it is whole: pieces that different peers have are not begun all at once, and those
// that were begun come to their end.
TEST_F(Downloads, OfManyPiecesFromAPeerEachAllComeToTheirEnd) {
    constexpr std::uint32_t kPieces = 24;  // of 4 MiB: more than may be held
    static_assert(kPieces * (4u << 20) > limit::kUnverifiedBytes + (8u << 20));
    begin({.bytes = std::uint64_t{kPieces} << 22, .piece_bytes = 4 << 20});
    std::vector<PeerHandle> all;
    for (std::uint32_t i = 0; i < kPieces; ++i) all.push_back(peer_with(PieceIndex(i)));
    download->set_wanted(Bitfield(kPieces, true));
    std::size_t most = 0;

    auto const answer_all = [&] {
        for (auto const peer : all) answer(peer);
        most = std::max(most, download->picker().in_flight().size());
    };
    for (int i = 0; i < 3000 && !download->complete(); ++i) {
        answer_all();
        clock.run_for(engine, 50ms);
    }

    EXPECT_TRUE(download->complete()) << download->have().count() << " pieces are here";
    EXPECT_LE(most, (limit::kUnverifiedBytes >> 22) + 1);
}

// Half of a piece stays behind when its only peer leaves: others are fetched all the same.
TEST_F(Downloads, PiecesThatNobodyHasTheRestOfGiveWayToOthers) {
    constexpr std::uint32_t kPieces = 24;
    begin({.bytes = std::uint64_t{kPieces} << 22, .piece_bytes = 4 << 20});
    download->set_wanted(Bitfield(kPieces, true));
    for (std::uint32_t i = 0; i < kPieces; ++i) {
        auto const peer = peer_with(PieceIndex(i));
        for (int k = 0; k < 20; ++k) answer(peer);
        download->picker().peer_left(peer, clock.now());
        asked.erase(peer);
        clock.run_for(engine, 100ms);
    }
    ASSERT_EQ(download->have().count(), 0u);

    auto const last = peer_with(PieceIndex(kPieces - 1));
    for (int i = 0; i < 3000 && !download->have().test(PieceIndex(kPieces - 1)); ++i) {
        answer(last);
        clock.run_for(engine, 50ms);
    }

    EXPECT_TRUE(download->have().test(PieceIndex(kPieces - 1)));
}

// What somebody waits for is begun though memory is taken.
TEST_F(Downloads, WhatAReaderWaitsForIsBegunWhateverElseIs) {
    constexpr std::uint32_t kPieces = 24;
    begin({.bytes = std::uint64_t{kPieces} << 22, .piece_bytes = 4 << 20});
    download->set_wanted(Bitfield(kPieces, true));
    std::vector<PeerHandle> all;
    for (std::uint32_t i = 0; i + 1 < kPieces; ++i) {
        all.push_back(peer_with(PieceIndex(i)));
        for (int k = 0; k < 3; ++k) answer(all.back());
    }
    auto const last = peer_with(PieceIndex(kPieces - 1));
    clock.run_for(engine, 1s);
    ASSERT_TRUE(asked[last].empty());

    download->set_urgent(true);
    download->set_wishes(ReaderId(1), {{PieceIndex(kPieces - 1), clock.now(), Urgency::blocked_player}});

    EXPECT_FALSE(asked[last].empty());
}

}  // namespace
}  // namespace rqfs::torrent
