// What the store costs: `store_bench DIR [MIB]` puts that much through it and reads it back. Figures of an optimized build only.
#include "cache/block_checksums.h"
#include "cache/disk_store.h"
#include "tests/support/run_engine.h"
#include "torrent/clock.h"
#include "torrent/workers.h"

#include <boost/asio/io_context.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::cache {
namespace {

using torrent::PieceIndex;

constexpr std::uint32_t kPieceBytes = 4u << 20;

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    auto const seconds = [](timeval const& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Measure {
public:
    Measure(char const* what, double mebibytes) : what_(what), mebibytes_(mebibytes) {}
    ~Measure() {
        auto const wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
        auto const cpu = cpu_seconds() - cpu_;
        std::printf("%-34s %8.0f MiB/s  %6.2f CPU s/GiB  %6.2f s\n", what_, mebibytes_ / wall, cpu / (mebibytes_ / 1024), wall);
    }

private:
    char const* what_;
    double mebibytes_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    double cpu_ = cpu_seconds();
};

struct Deaf final : torrent::PieceStore::Observer {
    void pieces_lost(std::span<PieceIndex const>) override {}
    void piece_found(PieceIndex) override {}
    void store_changed() override {}
};

void bench_checksums() {
    std::vector<std::byte> const piece(kPieceBytes, std::byte{1});
    for (auto const implementation : {Crc32c::portable, Crc32c::sse42}) {
        if (!supported(implementation)) continue;
        Measure const measure(implementation == Crc32c::portable ? "checksums, portable" : "checksums, SSE4.2", 4.0 * 500);
        std::uint32_t sum = 0;
        for (int i = 0; i < 500; ++i) sum ^= block_checksums(piece, implementation)[0];
        if (sum == 1) std::printf("\n");
    }
}

class Bench {
public:
    Bench(std::string directory, std::uint64_t mebibytes) : directory_(std::move(directory)), mebibytes_(mebibytes) {
        auto facts = std::make_shared<torrent::PieceFacts>();
        facts->total_bytes = mebibytes << 20;
        facts->piece_bytes = kPieceBytes;
        facts->hashes.resize(static_cast<std::size_t>((facts->total_bytes + kPieceBytes - 1) / kPieceBytes));
        facts_ = facts;
    }

    void put() {
        start();
        Measure const measure("put to recorded", static_cast<double>(mebibytes_));
        for (std::uint32_t i = 0; i < facts_->hashes.size(); ++i) {
            while (!pieces_->has_room()) step();
            std::vector<std::byte> bytes(kPieceBytes, static_cast<std::byte>(i));
            pieces_->put(PieceIndex(i), torrent::SharedBytes(std::move(bytes)));
            step();
        }
        run(pieces_->flush());
        stop();
    }

    void read_sequentially() {
        start();
        Measure const measure("read in order, 128 KiB", static_cast<double>(mebibytes_));
        std::uint64_t waited = 0;
        for (std::uint64_t at = 0; at < facts_->total_bytes; at += 131072) {
            PieceIndex const piece(static_cast<std::uint32_t>(at / kPieceBytes));
            torrent::ByteRange const range{at % kPieceBytes, at % kPieceBytes + 131072};
            if (pieces_->try_read(piece, range)) continue;
            run(pieces_->read(piece, range));
            ++waited;
        }
        std::printf("waited %llu of %llu\n", static_cast<unsigned long long>(waited), static_cast<unsigned long long>(facts_->total_bytes / 131072));
        stop();
    }

    void read_at_random() {
        start();
        constexpr int kReads = 20'000;
        Measure const measure("read at random, 4 KiB", kReads * 4.0 / 1024);
        std::mt19937_64 random(1);
        for (int i = 0; i < kReads; ++i) {
            auto const at = random() % (facts_->total_bytes / 4096) * 4096;
            torrent::ByteRange const range{at % kPieceBytes, at % kPieceBytes + 4096};
            run(pieces_->read(PieceIndex(static_cast<std::uint32_t>(at / kPieceBytes)), range));
        }
        stop();
    }

private:
    template <class T>
    T run(boost::asio::awaitable<T> task) {
        return tests::run_engine(engine_, std::move(task), std::chrono::seconds(600));
    }
    void step() {
        engine_.restart();
        if (pieces_->has_room()) engine_.poll();
        else engine_.run_one();
    }
    void start() {
        store_ = DiskStore::open(engine_.get_executor(), clock_, workers_, directory_, CacheSettings());
        run(store_->load());
        pieces_ = store_->open(torrent::InfoHash(), facts_, deaf_);
    }
    void stop() {
        run(pieces_->stop());
        pieces_.reset();
        run(store_->stop());
        store_.reset();
    }

    std::string directory_;
    std::uint64_t mebibytes_;
    std::shared_ptr<torrent::PieceFacts const> facts_;
    boost::asio::io_context engine_{1};
    torrent::Workers workers_;
    torrent::SteadyClock clock_;
    Deaf deaf_;
    std::unique_ptr<DiskStore> store_;
    std::unique_ptr<torrent::PieceStore> pieces_;
};

}  // namespace
}  // namespace rqfs::cache

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    rqfs::cache::bench_checksums();
    rqfs::cache::Bench bench(argv[1], argc > 2 ? std::stoull(argv[2]) : 2048);
    bench.put();
    bench.read_sequentially();
    bench.read_at_random();
    return 0;
}
