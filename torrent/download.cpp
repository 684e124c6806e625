#include "torrent/download.h"

#include "torrent/metainfo/padding.h"
#include "torrent/timeout.h"

#include <algorithm>
#include <cassert>
#include <string>

namespace rqfs::torrent {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// How soon the picker is asked again when no event comes.
constexpr Duration kUrgentPlan = 20ms;
constexpr Duration kCalmPlan = 250ms;
// Wishes that change oftener than kUrgentPlan, and more than so many times at a stretch, are planned together: a thousand
// open files must not make a thousand plans. A person who seeks is answered in the same turn.
constexpr double kPlansAtOnce = 16;

std::shared_ptr<PieceFacts const> facts_of(Metainfo const& metainfo) {
    auto facts = std::make_shared<PieceFacts>();
    facts->total_bytes = metainfo.pieces().total_bytes();
    facts->piece_bytes = metainfo.pieces().piece_bytes();
    facts->hashes = metainfo.hashes();
    return facts;
}

template <class T>
T random_value() {
    T value{};
    fill_random(std::as_writable_bytes(std::span(&value, 1)));
    return value;
}

}  // namespace

Download::Download(Parts parts, std::shared_ptr<Metainfo const> metainfo, Owner& owner)
    : parts_(std::move(parts)),
      metainfo_(std::move(metainfo)),
      owner_(owner),
      store_(parts_.store.open(metainfo_->info_hash(), facts_of(*metainfo_), *this)),
      picker_(metainfo_->pieces(), store_->have(), random_value<std::uint64_t>()),
      assembly_(metainfo_->pieces()),
      suspects_(random_value<Salt>()),
      wanted_(metainfo_->pieces().pieces()),
      read_ahead_(metainfo_->pieces()),
      wake_(parts_.executor),
      tasks_(parts_.executor, "download of " + metainfo_->info_hash().short_hex()) {
    auto const padding = padding_blocks(*metainfo_);
    picker_.set_padding(padding);
    for (auto const& block : padding) padding_[block.piece].push_back(block.block);
    count_pieces();
}

Download::~Download() = default;

void Download::start() { tasks_.spawn(keep_planning()); }

asio::awaitable<void> Download::stop() {
    co_await tasks_.stop();
    co_await store_->flush();
    co_await store_->stop();
}

void Download::peer_left(PeerHandle peer) {
    picker_.peer_left(peer, parts_.clock.now());
    suspects_.peer_left(peer);
    replan();
}

// Into the session's figures, which stay when the torrent goes, and into its own.
void Download::count(std::uint64_t ReceivedBytes::*what, std::uint64_t bytes) {
    received_.*what += bytes;
    parts_.statistics.received.*what += bytes;
}

void Download::block(PeerHandle peer, BlockAddress block, std::span<std::byte const> bytes, Duration transfer) {
    auto const now = parts_.clock.now();
    // Of a piece that failed a block is taken when two have sent the same: so the second try is good.
    if (picker_.second_try(block, peer) && suspects_.needs_hashes(block.piece) &&
        !suspects_.confirms(block, peer, salted_block_hash(suspects_.salt(), bytes))) {
        picker_.block_disputed(peer, block, now, transfer);
        count(&ReceivedBytes::duplicate, bytes.size());
        return;
    }
    auto const arrival = picker_.block_arrived(peer, block, now, transfer);
    goodput_.add(arrival == PiecePicker::Arrival::wanted ? bytes.size() : 0, now);
    if (arrival == PiecePicker::Arrival::unrequested) {
        count(&ReceivedBytes::late, bytes.size());
        return;
    }
    if (arrival == PiecePicker::Arrival::duplicate && !assembly_.contains(block)) {
        count(&ReceivedBytes::duplicate, bytes.size());  // the piece is stored already
        return;
    }
    auto const stored = assembly_.add(peer, block, bytes);
    if (stored == PieceAssembly::Stored::stored) {
        count(&ReceivedBytes::wanted, bytes.size());
        fill_padding(block.piece);
        hash_more(block.piece);
        return;
    }
    count(&ReceivedBytes::duplicate, bytes.size());
    if (stored == PieceAssembly::Stored::different) {
        auto const hash = salted_block_hash(suspects_.salt(), bytes);
        apply(suspects_.block_differs(block, *assembly_.sender(block), peer, hash));
    }
}

// Zeros that nobody sends (BEP 47). Their sender is no peer, so nobody is blamed for them.
void Download::fill_padding(PieceIndex piece) {
    auto const found = padding_.find(piece);
    if (found == padding_.end() || assembly_.contains(BlockAddress{piece, found->second.front()})) return;
    std::vector<std::byte> const zeros(kBlockBytes);
    for (auto const index : found->second) {
        BlockAddress const block{piece, index};
        assembly_.add(PeerHandle(0), block, std::span(zeros).first(metainfo_->pieces().bytes(block)));
    }
}

void Download::hash_more(PieceIndex piece) {
    if (auto run = assembly_.next_run(piece)) tasks_.spawn(hash_more_of(std::move(*run)));
}

asio::awaitable<void> Download::hash_more_of(HashRun run) {
    auto const piece = run.piece;
    auto hashed = co_await parts_.workers.run(Workers::Lane::hash, &hash_run, std::move(run));
    if (!assembly_.run_hashed(std::move(hashed))) co_return;
    if (auto const digest = assembly_.finished(piece))
        finish_piece(piece, *digest == metainfo_->hashes()[piece.value()]);
    else
        hash_more(piece);
}

void Download::finish_piece(PieceIndex piece, bool good) {
    auto senders = assembly_.contributors(piece);
    auto const bytes = assembly_.take(piece);
    if (good) {
        if (has_suspects_ || suspects_.needs_hashes(piece)) tasks_.spawn(judge(piece, true, bytes, std::move(senders)));
        picker_.piece_verified(piece);
        store_->put(piece, bytes);
        read_ahead_.fetched(piece, wanted_.test(piece));
        note_stored(piece);
    } else {
        parts_.logger->warn("piece failed its hash torrent={} piece={}", metainfo_->info_hash().short_hex(), piece.value());
        count(&ReceivedBytes::failed_hash, bytes.size());
        picker_.piece_failed(piece, senders, parts_.clock.now());
        tasks_.spawn(judge(piece, false, bytes, std::move(senders)));
    }
    replan();
}

// A good piece is stored and told before anybody is judged; a bad one is asked for again at once, of others.
asio::awaitable<void> Download::judge(PieceIndex piece, bool good, SharedBytes bytes, std::vector<PeerHandle> senders) {
    std::vector<Sha1Digest> hashes;
    if (!good || suspects_.needs_hashes(piece))
        hashes = co_await parts_.workers.run(Workers::Lane::hash, &salted_block_hashes, suspects_.salt(), std::move(bytes));
    apply(good ? suspects_.piece_passed(piece, senders, hashes) : suspects_.piece_failed(piece, senders, hashes));
}

void Download::apply(Suspects::Verdict const& verdict) {
    for (auto const peer : verdict.parole) {
        if (picker_.knows(peer))
            picker_.peer_parole(peer, true);
        else
            suspects_.peer_left(peer);  // while the hash of what it sent was reckoned
    }
    for (auto const peer : verdict.release) picker_.peer_parole(peer, false);
    for (auto const peer : verdict.ban) owner_.ban_peer(peer, "it sent data that failed its hash");
    has_suspects_ = !suspects_.suspects().empty();
    if (!verdict.empty()) replan();
}

void Download::note_stored(PieceIndex piece) {
    have_bytes_ += metainfo_->pieces().bytes(piece);
    if (wanted_.test(piece)) --missing_wanted_;
    owner_.piece_stored(piece);
    if (missing_wanted_ == 0) owner_.wishes_changed();
}

void Download::replan() {
    if (planning_) return;  // an order may end a connection, whose end asks for a plan
    planning_ = true;
    update_hold();
    auto const now = parts_.clock.now();
    std::size_t cancels = 0;
    for (auto const& order : picker_.plan(now)) {
        cancels += order.kind == PiecePicker::Order::Kind::cancel ? 1u : 0u;
        owner_.carry_out(order);
    }
    if (cancels > 0) seek_budget_.cancelled(cancels, now);
    planning_ = false;
    if (dormant_) {
        dormant_ = false;
        wake_.notify();
    }
}

void Download::update_hold() {
    // On a full disk what a reader waits for is fetched all the same: it is read from memory.
    bool const no_room = !store_->has_room() && !(urgent_ && store_->condition().disk_full);
    // What lies on the disk unrecorded is hashed first; only a reader who waits is worth fetching it twice.
    bool const checking = store_->check_progress().running && !urgent_;
    // The picker bounds what is in flight; the rest of what is held waits to be hashed.
    auto const most = limit::kUnverifiedBytes + metainfo_->pieces().piece_bytes();
    picker_.hold(no_room || checking || assembly_.bytes_held() > 3 * most);
}

asio::awaitable<void> Download::keep_planning() {
    for (;;) {
        if (!untold_.empty()) {
            co_await parts_.clock.sleep(kUrgentPlan);
            tell_wishes();
        }
        auto const now = parts_.clock.now();
        auto const next = picker_.next_plan(now);
        if (!next) {
            dormant_ = true;
            co_await wake_.wait();
            continue;
        }
        for (auto const piece : picker_.unwanted_pieces()) {
            count(&ReceivedBytes::dropped, assembly_.contains(piece) ? assembly_.bytes_received(piece) : 0);
            assembly_.drop(piece);
            picker_.piece_abandoned(piece);
        }
        auto const shortest = urgent_ ? kUrgentPlan : kCalmPlan;
        auto const pause = std::clamp<Duration>(*next - now, kUrgentPlan, shortest);
        co_await wait_at_most(parts_.clock, wake_, pause);
        if (parts_.clock.now() >= now + pause) replan();  // else whoever woke us has planned
    }
}

void Download::set_urgent(bool urgent) {
    urgent_ = urgent;
    wake_.notify();
}

void Download::set_wishes(ReaderId reader, std::vector<Wish> wishes) {
    for (auto const& wish : wishes) read_ahead_.wished(wish.piece);
    untold_[reader] = std::move(wishes);
    plan_for_readers();
}

void Download::drop_reader(ReaderId reader) {
    untold_[reader].reset();
    plan_for_readers();
}

void Download::plan_for_readers() {
    auto const now = parts_.clock.now();
    std::chrono::duration<double> const passed = now - plans_since_;
    plans_left_ = std::min(kPlansAtOnce, plans_left_ + passed / kUrgentPlan);
    plans_since_ = now;
    if (plans_left_ < 1) {
        wake_.notify();
        return;
    }
    plans_left_ -= 1;
    tell_wishes();
}

// Until then the picker does not hear of them: all wishes are sorted anew when one has changed.
void Download::tell_wishes() {
    auto const now = parts_.clock.now();
    for (auto& [reader, wishes] : std::exchange(untold_, {})) {
        if (wishes)
            picker_.set_wishes(reader, std::move(*wishes), now);
        else
            picker_.drop_reader(reader, now);
    }
    owner_.wishes_changed();
    replan();
}

void Download::set_wanted(Bitfield const& wanted) {
    wanted_ = wanted;
    count_pieces();
    picker_.set_wanted(wanted_);
    owner_.wishes_changed();
    wake_.notify();
    replan();
}

void Download::count_pieces() {
    auto const& layout = metainfo_->pieces();
    missing_wanted_ = 0;
    have_bytes_ = 0;
    for (PieceIndex piece; piece.value() < layout.pieces(); ++piece) {
        if (have().test(piece))
            have_bytes_ += layout.bytes(piece);
        else if (wanted_.test(piece))
            ++missing_wanted_;
    }
}

void Download::pieces_lost(std::span<PieceIndex const> pieces) {
    for (auto const piece : pieces) {
        picker_.piece_lost(piece);
        read_ahead_.lost(piece);
    }
    count_pieces();
    owner_.pieces_gone(pieces);
    owner_.wishes_changed();
    wake_.notify();
    replan();
}

void Download::piece_found(PieceIndex piece) {
    assembly_.drop(piece);
    picker_.piece_verified(piece);
    note_stored(piece);
    replan();
}

void Download::store_changed() {
    owner_.store_condition_changed();
    wake_.notify();
    replan();
}

}  // namespace rqfs::torrent
