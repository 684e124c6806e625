#pragma once

#include "tests/support/make_torrent.h"
#include "tests/support/memory_store.h"
#include "tests/support/run_virtual.h"
#include "tests/support/virtual_clock.h"
#include "torrent/download.h"
#include "torrent/log.h"
#include "torrent/readers.h"
#include "torrent/statistics.h"
#include "torrent/workers.h"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {

// The readers of one torrent and its download, in virtual time, with one peer that has everything: what it is asked for
// is written down, and it answers when told.
class ReadersFixture : public testing::Test, public Readers::Owner, public Download::Owner {
protected:
    static constexpr std::uint64_t kFileBytes = 40u << 20;
    static constexpr std::uint32_t kPieceBytes = 256u << 10;
    static constexpr PeerHandle kPeer{1};
    static constexpr std::uint64_t kReadBytes = 128u << 10;  // of the kernel

    std::optional<Error> reading_forbidden() const override { return std::nullopt; }
    void readers_changed(bool /*other_files*/) override { download.set_urgent(readers.waiting() > 0); }

    void carry_out(PiecePicker::Order const& order) override {
        if (order.kind == PiecePicker::Order::Kind::request) {
            asked.push_back(order.block);
            unanswered.push_back(order.block);
        } else {
            taken_back.push_back(order.block);
            std::erase(unanswered, order.block);
        }
    }
    void wishes_changed() override { ++plans; }
    void piece_stored(PieceIndex piece) override { readers.piece_stored(piece); }
    void pieces_gone(std::span<PieceIndex const> /*pieces*/) override { readers.pieces_lost(); }
    void ban_peer(PeerHandle /*peer*/, std::string const& /*why*/) override {}
    void store_condition_changed() override {}

    void SetUp() override {
        download.start();
        auto const now = clock.now();
        download.picker().peer_joined(kPeer, {.fast = false, .max_requests = 250}, now);
        download.picker().peer_has_all(kPeer);
        download.picker().peer_chokes(kPeer, false, now);
    }
    void TearDown() override {
        tests::run_virtual(engine, clock, readers.stop());
        tests::run_virtual(engine, clock, download.stop());
    }

    std::unique_ptr<Stream> open(std::string const& program = "mpv") {
        return readers.open(FileIndex(0), ReaderProgram{program, 1});
    }
    // Begun with the engine's next turn, and counted when it ends.
    void start_read(Stream& stream, std::uint64_t begin) {
        auto const count = [this](std::exception_ptr const& failure, std::vector<SharedBytes> const&) {
            ++(failure ? refused : answered);
        };
        boost::asio::co_spawn(engine, stream.read({begin, begin + kReadBytes}), count);
    }
    void read(Stream& stream, ByteRange range) {
        for (auto begin = range.begin; begin < range.end; begin += kReadBytes) {
            auto const before = answered;
            start_read(stream, begin);
            ASSERT_TRUE(answer_until([&] { return answered > before; })) << begin;
        }
    }
    // The peer answers what it is asked for, 5 MB a second of it, until that is so; whether it became so.
    bool answer_until(std::function<bool()> const& done) {
        for (int round = 0; round < 10'000; ++round) {
            pass(std::chrono::milliseconds(10));
            if (done()) return true;
            for (int sent = 0; sent < 3 && !unanswered.empty(); ++sent) answer_first();
            download.replan();
        }
        return false;
    }
    void answer_first() {
        auto const block = unanswered.front();
        unanswered.erase(unanswered.begin());
        auto const begin = layout().begin(block.piece) + std::uint64_t{block.block.value()} * kBlockBytes;
        auto const bytes = std::span(made.data).subspan(begin, layout().bytes(block));
        download.block(kPeer, block, bytes, std::chrono::milliseconds(3));
    }
    void one_turn() {
        engine.restart();
        engine.poll_one();
    }
    void pass(Duration how_long) { clock.run_for(engine, how_long); }
    void forget_orders() {
        asked.clear();
        taken_back.clear();
    }
    // How many of the blocks lie in this range of the torrent.
    std::size_t blocks_in(std::vector<BlockAddress> const& blocks, ByteRange range) const {
        auto const pieces = layout().pieces(range);
        return static_cast<std::size_t>(std::ranges::count_if(
            blocks, [&](auto const& block) { return block.piece >= pieces.first && block.piece < pieces.end; }));
    }
    PieceLayout const& layout() const { return made.metainfo->pieces(); }

    static tests::MadeTorrent const& film() {
        static auto const made = tests::make_torrent({.bytes = kFileBytes, .piece_bytes = kPieceBytes});
        return made;
    }

    tests::MadeTorrent const& made = film();
    boost::asio::io_context engine{1};
    tests::VirtualClock clock;
    Workers workers{engine.get_executor()};
    tests::MemoryStore store;
    Statistics statistics;
    StreamSettings settings;
    std::vector<BlockAddress> asked, taken_back, unanswered;
    std::size_t answered = 0, refused = 0;  // reads
    std::size_t plans = 0;                  // made because readers want something else
    Download download{{engine.get_executor(), clock, workers, store, shared_log(), statistics},
                      made.metainfo,
                      static_cast<Download::Owner&>(*this)};
    Readers readers{engine.get_executor(), clock, download, settings, static_cast<Readers::Owner&>(*this)};
};

}  // namespace rqfs::torrent
