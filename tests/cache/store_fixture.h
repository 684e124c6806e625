#pragma once

#include "cache/disk_store.h"
#include "cache/settings.h"
#include "tests/cache/content.h"
#include "tests/support/run_engine.h"
#include "tests/support/temp_dir.h"
#include "torrent/clock.h"
#include "torrent/piece_store.h"
#include "torrent/shared_bytes.h"
#include "torrent/store.h"
#include "torrent/workers.h"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::cache {

struct Noted final : torrent::PieceStore::Observer {
    void pieces_lost(std::span<torrent::PieceIndex const> pieces) override {
        for (auto const piece : pieces) lost.push_back(piece.value());
    }
    void piece_found(torrent::PieceIndex piece) override { found.push_back(piece.value()); }
    void store_changed() override { ++changes; }

    std::vector<std::uint32_t> lost;
    std::vector<std::uint32_t> found;
    int changes = 0;
};

// An engine with a store in a directory that outlives it: restart() is what the next run of the daemon sees.
class StoreFixture {
public:
    explicit StoreFixture(std::string directory, CacheSettings settings = quick()) : directory_(std::move(directory)), settings_(settings) {
        start();
    }
    ~StoreFixture() { stop(); }

    static CacheSettings quick() {
        CacheSettings settings;
        settings.idle_commit = std::chrono::milliseconds(20);
        settings.reserved_bytes = 0;
        settings.reserved_percent = 0;
        return settings;
    }

    void start() {
        store = DiskStore::open(engine.get_executor(), clock, *workers, directory_, settings_);
        loaded = run(store->load());
    }
    void stop() {
        if (store == nullptr) return;
        if (pieces != nullptr) close();
        run(store->stop());
        store.reset();
    }
    void restart() {
        stop();
        start();
    }
    torrent::PieceStore& open(Content const& content) {
        pieces = store->open(content.info_hash, content.facts, noted);
        return *pieces;
    }
    void close() {
        run(pieces->stop());
        pieces.reset();
    }
    void put_all(Content const& content) {
        for (std::uint32_t i = 0; i < content.pieces(); ++i) pieces->put(torrent::PieceIndex(i), content.shared(i));
        flush();
    }
    void flush() { run(pieces->flush()); }

    template <class T>
    T run(boost::asio::awaitable<T> task) {
        return tests::run_engine(engine, std::move(task), std::chrono::seconds(60));
    }
    // Lets the engine work until it is so, or the time is over.
    template <class Condition>
    bool wait_for(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
        auto const end = std::chrono::steady_clock::now() + limit;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) return false;
            engine.restart();
            engine.run_one_for(std::chrono::milliseconds(5));
        }
        return true;
    }
    void wait_for_check() {
        run_a_little();
        EXPECT_TRUE(wait_for([&] { return !pieces->check_progress().running; }));
    }
    void run_a_little(std::chrono::milliseconds time = std::chrono::milliseconds(100)) {
        (void)wait_for([] { return false; }, time);
    }

    // The piece, or nothing when the store says it is damaged or gone.
    std::optional<std::vector<std::byte>> read(std::uint32_t piece, torrent::ByteRange range) {
        try {
            auto const bytes = run(pieces->read(torrent::PieceIndex(piece), range));
            return std::vector<std::byte>(bytes.bytes().begin(), bytes.bytes().end());
        } catch (boost::system::system_error const& e) {
            last_error = e.code();
            return std::nullopt;
        }
    }
    bool reads_right(Content const& content, std::uint32_t piece) {
        auto const want = content.piece(piece);
        auto const got = read(piece, {0, want.size()});
        if (got && !std::equal(got->begin(), got->end(), want.begin(), want.end())) ADD_FAILURE() << "wrong bytes in piece " << piece;
        return got.has_value();
    }
    std::uint32_t count_readable(Content const& content) {
        std::uint32_t count = 0;
        for (std::uint32_t i = 0; i < content.pieces(); ++i)
            if (pieces->have().test(torrent::PieceIndex(i)) && reads_right(content, i)) ++count;
        return count;
    }
    std::string file(Content const& content) const { return directory_ + "/pieces/" + content.info_hash.hex(); }

    boost::asio::io_context engine{1};
    std::unique_ptr<torrent::Workers> workers = std::make_unique<torrent::Workers>();
    torrent::SteadyClock clock;
    Noted noted;
    std::unique_ptr<DiskStore> store;
    std::unique_ptr<torrent::PieceStore> pieces;
    std::vector<torrent::TorrentRecord> loaded;
    boost::system::error_code last_error;

private:
    std::string directory_;
    CacheSettings settings_;
};

}  // namespace rqfs::cache
