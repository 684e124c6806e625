// What PiecePicker costs a block, in nanoseconds, with everything around it left out. Build with -O2.

#include "torrent/metainfo/piece_layout.h"
#include "torrent/swarm/piece_picker.h"
#include "torrent/units.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <vector>

namespace {

using namespace rqfs::torrent;
using Order = PiecePicker::Order;
using Timer = std::chrono::steady_clock;

struct Bench {
    PieceLayout layout;
    PiecePicker picker;
    std::vector<std::deque<BlockAddress>> queues;  // by peer
    std::vector<std::uint32_t> missing;            // blocks, by piece
    TimePoint now{std::chrono::hours(1)};
    std::uint64_t blocks = 0;
    std::size_t deepest = 0;
    Timer::duration spent{};

    Bench(std::uint64_t bytes, std::uint32_t piece_bytes, std::uint32_t peers)
        : layout(bytes, piece_bytes),
          picker(layout, Bitfield(layout.pieces()), 1),
          queues(peers),
          missing(layout.pieces()) {
        for (std::uint32_t i = 0; i < layout.pieces(); ++i) missing[i] = layout.blocks(PieceIndex(i));
        for (std::uint32_t i = 0; i < peers; ++i) {
            picker.peer_joined(PeerHandle(i), {.fast = true, .max_requests = 500}, now);
            if (i == 0) {
                picker.peer_has_all(PeerHandle(i));
            } else {
                Bitfield some(layout.pieces());
                for (std::uint32_t p = 0; p < layout.pieces(); ++p)
                    if ((p * 2654435761u ^ i * 40503u) % 10 < 7) some.set(PieceIndex(p));
                picker.peer_has(PeerHandle(i), some);
            }
            picker.peer_chokes(PeerHandle(i), false, now);
        }
    }

    void plan() {
        auto const start = Timer::now();
        std::vector<Order> const orders = picker.plan(now);
        spent += Timer::now() - start;
        for (Order const& order : orders) {
            auto& queue = queues[order.peer.value()];
            if (order.kind == Order::Kind::request)
                queue.push_back(order.block);
            else
                std::erase(queue, order.block);
        }
    }

    void receive(std::size_t peer, std::size_t count) {
        auto& queue = queues[peer];
        deepest = std::max(deepest, queue.size());
        count = std::min(count, queue.size());
        std::vector<BlockAddress> const batch(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(count));
        queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(count));
        auto const start = Timer::now();
        for (BlockAddress const block : batch) {
            if (picker.block_arrived(PeerHandle(static_cast<std::uint32_t>(peer)), block, now) !=
                PiecePicker::Arrival::wanted)
                continue;
            if (--missing[block.piece.value()] == 0) picker.piece_verified(block.piece);
        }
        spent += Timer::now() - start;
        blocks += count;
    }

    bool done() const { return picker.have().all(); }

    void report(char const* name) const {
        double const nanoseconds = std::chrono::duration<double, std::nano>(spent).count();
        std::printf("%-44s %8.0f ns a block (%llu blocks, deepest queue %zu, duplicates %llu)\n", name,
                    nanoseconds / static_cast<double>(std::max<std::uint64_t>(blocks, 1)),
                    static_cast<unsigned long long>(blocks), deepest,
                    static_cast<unsigned long long>(picker.duplicate_bytes() / kBlockBytes));
    }
};

// Every peer delivers `batch` blocks in turn, together 1 GB/s.
void bulk(char const* name, std::uint64_t bytes, std::uint32_t piece_bytes, std::uint32_t peers, std::size_t batch) {
    Bench bench(bytes, piece_bytes, peers);
    bench.picker.set_wanted(Bitfield(bench.layout.pieces(), true));
    bench.plan();
    for (std::size_t turn = 0; !bench.done() && turn < 10'000'000; ++turn) {
        bench.now += std::chrono::nanoseconds(batch * kBlockBytes);
        bench.receive(turn % peers, batch);
        bench.plan();
    }
    bench.report(name);
}

void reader(char const* name, std::uint32_t piece_bytes, double rate) {
    constexpr std::uint32_t kPeers = 30;
    Bench bench(4ull << 30, piece_bytes, kPeers);
    std::uint64_t position = 0;
    std::vector<double> owed(kPeers, 0);
    for (int turn = 0; turn < 30'000 && position + (64 << 20) < bench.layout.total_bytes(); ++turn) {
        bench.now += std::chrono::milliseconds(2);
        position += static_cast<std::uint64_t>(rate * 0.002);
        std::vector<Wish> wishes;
        PieceIndex const first = bench.layout.piece_at(position);
        for (std::uint32_t i = first.value(); i < first.value() + (20u << 20) / piece_bytes; ++i)
            if (!bench.picker.have().test(PieceIndex(i)))
                wishes.push_back({PieceIndex(i),
                                  bench.now + std::chrono::milliseconds(static_cast<std::int64_t>(
                                                  1e3 * static_cast<double>((i - first.value()) * piece_bytes) / rate)),
                                  i == first.value() ? Urgency::blocked_player : Urgency::player});
        bench.picker.set_wishes(ReaderId(1), wishes, bench.now);
        for (std::size_t peer = 0; peer < kPeers; ++peer) {
            // A third of the peers stops for four of every ten seconds: there is always something to hedge.
            bool const stalled = peer % 3 == 0 && (static_cast<std::size_t>(turn) / 500 + peer) % 10 < 4;
            owed[peer] = std::min(4.0, owed[peer] + (stalled ? 0 : 1.2 * rate / kPeers * 0.002 / kBlockBytes));
            auto const count = static_cast<std::size_t>(owed[peer]);
            if (count == 0) continue;
            owed[peer] -= static_cast<double>(count);
            bench.receive(peer, count);
            bench.plan();
        }
        bench.plan();
    }
    bench.report(name);
}

void idle(char const* name, bool with_reader) {
    constexpr std::uint32_t kPeers = 80;
    Bench bench(100'000ull * (256 << 10), 256 << 10, kPeers);
    bench.picker.set_wanted(Bitfield(bench.layout.pieces(), true));
    if (with_reader) {
        std::vector<Wish> wishes;
        for (std::uint32_t i = 0; i < 192; ++i)
            wishes.push_back({PieceIndex(i), bench.now + std::chrono::milliseconds(100 * i), Urgency::player});
        bench.picker.set_wishes(ReaderId(1), wishes, bench.now);
    }
    for (int turn = 0; turn < 2000; ++turn) {
        bench.now += std::chrono::microseconds(100);
        bench.receive(static_cast<std::size_t>(turn) % kPeers, 4);
        bench.plan();
    }
    bench.spent = {};
    for (int i = 0; i < 20'000; ++i) {
        bench.now += std::chrono::nanoseconds(500);
        bench.plan();
    }
    std::printf("%-44s %8.0f ns a plan\n", name,
                std::chrono::duration<double, std::nano>(bench.spent).count() / 20'000);
}

}  // namespace

int main() {
    bulk("1 seed, 10^4 pieces of 256 KiB, 16 at once", 10'000ull * (256 << 10), 256 << 10, 1, 16);
    bulk("1 seed, 10^4 pieces of 256 KiB, 1 at once", 10'000ull * (256 << 10), 256 << 10, 1, 1);
    bulk("30 peers, 10^4 pieces of 256 KiB, 4 at once", 10'000ull * (256 << 10), 256 << 10, 30, 4);
    bulk("30 peers, 10^4 pieces of 256 KiB, 1 at once", 10'000ull * (256 << 10), 256 << 10, 30, 1);
    bulk("1 seed, 10^5 pieces of 64 KiB, 16 at once", 100'000ull * (64 << 10), 64 << 10, 1, 16);
    bulk("30 peers, 10^5 pieces of 64 KiB, 4 at once", 100'000ull * (64 << 10), 64 << 10, 30, 4);
    bulk("30 peers, 10^5 pieces of 16 KiB, 4 at once", 100'000ull * (16 << 10), 16 << 10, 30, 4);
    reader("reader 1 MB/s, 2 MiB pieces, hedges", 2u << 20, 1e6);
    reader("reader 10 MB/s, 1 MiB pieces, hedges", 1u << 20, 1e7);
    reader("reader 10 MB/s, 64 KiB pieces, hedges", 64u << 10, 1e7);
    idle("80 peers full, 10^5 pieces, nothing new", false);
    idle("80 peers full, 10^5 pieces, reader", true);
}
