#include "torrent/torrent.h"

#include "torrent/log.h"
#include "torrent/swarm/peer_supply.h"
#include "torrent/timeout.h"
#include "torrent/torrent_operation.h"
#include "torrent/tracker/tracker_list.h"

#include <algorithm>
#include <cassert>

namespace rqfs::torrent {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// How often traffic totals are written to the store, so that a crash loses little of a ratio.
constexpr std::chrono::seconds kTotalsInterval{60};
constexpr std::chrono::minutes kFruitless{1};  // a magnet that finds nobody: most likely it has no swarm

std::shared_ptr<Metainfo const> parse_info(TorrentRecord const& record) {
    if (record.info.empty()) return nullptr;
    auto parsed = Metainfo::parse_info(record.info);
    if (parsed && (*parsed)->info_hash() == record.info_hash) return *parsed;
    log().error("stored metadata is unusable torrent={} error={}", record.info_hash.short_hex(),
                parsed ? "another info-hash" : parsed.error().what);
    return nullptr;
}

void append_new(std::vector<std::string>& list, std::vector<std::string> const& more) {
    for (auto const& text : more)
        if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

}  // namespace

Torrent::Torrent(SessionContext& session, TorrentRecord record, Owner& owner)
    : session_(session),
      owner_(owner),
      record_(std::move(record)),
      logger_(shared_log()),
      connections_(session, record_.info_hash, logger_, *this),
      peer_search_(session, record_.info_hash, logger_, connections_),
      announcer_(session.trackers, record_.info_hash, {}, false, *this),
      operation_ended_(session.executor),
      tick_now_(session.executor),
      tasks_(session.executor, "torrent " + record_.info_hash.short_hex()),
      keeper_(session.store, record_, logger_, tasks_) {
    record_.trackers = merged({}, record_.trackers);
    announcer_.set_trackers(record_.trackers, record_.user_trackers);
    if (auto metainfo = parse_info(record_)) take_metainfo(std::move(metainfo));
}

Torrent::~Torrent() = default;

void Torrent::take_metainfo(std::shared_ptr<Metainfo const> metainfo) {
    metainfo_ = std::move(metainfo);
    Download::Parts parts{session_.executor, session_.clock, session_.workers, session_.store, logger_, session_.statistics};
    download_ = std::make_unique<Download>(std::move(parts), metainfo_, static_cast<Download::Owner&>(*this));
    readers_ = std::make_unique<Readers>(session_.executor, session_.clock, *download_, session_.settings.stream,
                                         static_cast<Readers::Owner&>(*this));
    drop_unknown_selection();
    apply_wanted();
    if (metainfo_->is_private()) {
        announcer_.set_private(true);
        if (running_) peer_search_.update(need());
        connections_.become_private();
    }
}

// so= was written before anybody knew the files; what names none of them selects nothing.
void Torrent::drop_unknown_selection() {
    if (!metainfo_) return;
    auto const unknown = [this](FileIndex file) { return file.value() >= metainfo_->files().size(); };
    std::erase_if(record_.selected_files, unknown);
    bool const some_wanted = !record_.wanted_files.empty();
    std::erase_if(record_.wanted_files, unknown);
    // Had only unknown files been wanted, an empty list would mean all of them.
    if (some_wanted && record_.wanted_files.empty()) record_.download = false;
}

void Torrent::start() {
    if (download_) download_->start();
    tasks_.spawn(keep_ticking());
    if (!record_.paused) run();
}

void Torrent::run() {
    if (running_) return;
    running_ = true;
    if (!metainfo_) {
        metadata_fetch_ = std::make_unique<MetadataFetch>(session_.clock, record_.info_hash, session_.metadata_budget,
                                                          static_cast<MetadataFetch::Owner&>(*this));
    }
    connections_.start();
    announcer_.start();
    announcer_.urgent(hurried());
    peer_search_.start(record_.user_peers, record_.magnet_peers, need());
    tick_now_.notify();
}

asio::awaitable<void> Torrent::halt() {
    if (!running_) co_return;
    running_ = false;
    if (readers_) readers_->look_again();
    auto saved = peer_search_.save();
    co_await peer_search_.stop();
    co_await connections_.stop();
    co_await announcer_.stop(limit::kTrackerStopTime);
    metadata_fetch_.reset();
    co_await std::move(saved);
}

asio::awaitable<void> Torrent::stop(Errc why) {
    ended_ = error(why, why == Errc::removed ? "the torrent was removed" : "the daemon is stopping");
    if (readers_) readers_->look_again();
    co_await tasks_.stop();
    while (operations_ > 0) co_await operation_ended_.wait();
    session_.precedence.left(record_.info_hash);
    co_await halt();
    if (readers_) co_await readers_->stop();
    keeper_.count(connections_.uploaded_bytes(), download_ ? download_->downloaded_bytes() : 0);
    if (why != Errc::removed && keeper_.unsaved()) co_await keeper_.save();
    if (download_) co_await download_->stop();
}

asio::awaitable<void> Torrent::my_turn() {
    while (changing_) co_await operation_ended_.wait();
    if (ended_ && ended_->code != Errc::failed) throw_error(*ended_);
}

asio::awaitable<void> Torrent::keep() {
    Operation const operation(*this);
    co_await keeper_.save();
}

asio::awaitable<void> Torrent::pause() {
    Operation operation(*this);
    co_await my_turn();
    operation.alone();
    if (record_.paused) co_return;
    record_.paused = true;
    co_await halt();
    co_await keeper_.save();
}

asio::awaitable<void> Torrent::resume() {
    Operation operation(*this);
    co_await my_turn();
    operation.alone();
    if (download_) download_->store().retry_now();
    if (!record_.paused) co_return;
    record_.paused = false;
    co_await keeper_.save();
    run();
}

asio::awaitable<void> Torrent::want(std::vector<FileIndex> files) {
    Operation const operation(*this);
    co_await my_turn();
    if (files.empty()) files = record_.selected_files;
    if (files.empty() || (record_.download && record_.wanted_files.empty())) {
        record_.wanted_files.clear();
    } else {
        for (auto const file : files)
            if (std::find(record_.wanted_files.begin(), record_.wanted_files.end(), file) == record_.wanted_files.end())
                record_.wanted_files.push_back(file);
        std::sort(record_.wanted_files.begin(), record_.wanted_files.end());
    }
    record_.download = true;
    apply_wanted();
    tick_now_.notify();
    co_await keeper_.save();
}

asio::awaitable<void> Torrent::merge(TorrentRecord const& more) {
    Operation const operation(*this);
    co_await my_turn();
    record_.trackers = merged(record_.trackers, more.trackers);
    announcer_.set_trackers(record_.trackers, record_.user_trackers);
    append_new(record_.web_seeds, more.web_seeds);
    if (record_.selected_files.empty()) record_.selected_files = more.selected_files;
    drop_unknown_selection();
    for (auto const& peer : more.magnet_peers)
        if (running_) peer_search_.dial_named_peer(peer, AddressSource::magnet);
    append_new(record_.magnet_peers, more.magnet_peers);
    if (!metainfo_ && !more.info.empty()) {
        record_.created = more.created;
        metadata_complete(more.info);
    }
    co_await keeper_.save();
}

void Torrent::verify(bool cancel) {
    if (!download_) throw_error(Errc::not_found, "there is nothing to verify: the metadata is not there yet");
    if (cancel)
        download_->store().cancel_check();
    else
        download_->store().start_check();
    tick_now_.notify();
}

void Torrent::connect(std::vector<Endpoint> const& endpoints, std::string const& host_port) {
    if (!host_port.empty() && record_.user_peers.size() < limit::kMagnetPeers) {
        append_new(record_.user_peers, {host_port});
        keeper_.save_soon();
    }
    connections_.add_addresses(endpoints, AddressSource::user);
    connections_.tick();
}

void Torrent::metadata_complete(std::vector<std::byte> info) {
    auto parsed = Metainfo::parse_info(info);
    if (!parsed) {
        ended_ = error(Errc::failed, "the metadata of this torrent cannot be used: " + parsed.error().what);
        logger_->warn("metadata unusable torrent={} error={}", record_.info_hash.short_hex(), parsed.error().what);
        return;
    }
    record_.info = std::move(info);
    take_metainfo(std::move(*parsed));
    logger_->info("metadata complete torrent={} name=\"{}\" pieces={}", record_.info_hash.short_hex(), printable_name(),
                  metainfo_->pieces().pieces());
    download_->start();
    owner_.metadata_arrived(*this);
    connections_.metadata_arrived();
    download_->replan();  // of those who let us download already
    keeper_.save_soon();
    tick_now_.notify();
}

void Torrent::adopt_incoming(std::unique_ptr<StreamSocket> socket, Handshake const& theirs) {
    connections_.adopt_incoming(std::move(socket), theirs);
    tick_now_.notify();
}

std::unique_ptr<Stream> Torrent::open(FileIndex file, ReaderProgram const& program) {
    if (!readers_ || file.value() >= metainfo_->files().size()) throw_error(Errc::not_found, "there is no such file");
    return readers_->open(file, program);
}

bool Torrent::active() const {
    if (!running_ || ended_) return false;
    if (!download_) return true;
    if (!download_->wanted_complete()) return true;
    return readers_->active(session_.clock.now());
}

bool Torrent::hurried() const { return running_ && (!download_ || readers_->waiting() > 0); }

PeerSearch::Need Torrent::need() const {
    return {hurried() && !ended_, download_ && download_->complete(), is_private()};
}

void Torrent::peers_ran_out() { announcer_.announce_now(); }

void Torrent::wishes_changed() { connections_.wishes_changed(); }

void Torrent::piece_stored(PieceIndex piece) {
    readers_->piece_stored(piece);
    connections_.piece_stored(piece);
    if (!download_->complete() || record_.completed_announced || download_->downloaded_bytes() == 0) return;
    record_.completed_announced = true;
    announcer_.completed();
    logger_->info("torrent complete torrent={} name=\"{}\"", record_.info_hash.short_hex(), printable_name());
    keeper_.save_soon();
}

void Torrent::pieces_gone(std::span<PieceIndex const> pieces) {
    connections_.pieces_gone(pieces);
    readers_->pieces_lost();
    tick_now_.notify();
}

void Torrent::store_condition_changed() {
    readers_->look_again();
    tick_now_.notify();
}

void Torrent::readers_changed(bool other_files) {
    download_->set_urgent(readers_->waiting() > 0);
    if (other_files && session_.settings.stream.fetch != FetchPolicy::window) apply_wanted();
    announcer_.urgent(hurried());
    tick_now_.notify();
}

std::optional<Error> Torrent::reading_forbidden() const {
    if (ended_) return ended_;
    if (record_.paused) return error(Errc::paused, "the torrent is paused");
    if (auto const failure = download_->store().condition().failure; !failure.empty()) return error(Errc::failed, failure);
    return std::nullopt;
}

void Torrent::set_external(std::optional<Address> address, bool new_port) {
    if (address) connections_.set_external(*address);
    if (new_port) announcer_.announce_now();
}

Announcer::Facts Torrent::announce_facts() const {
    Announcer::Facts facts;
    facts.peer_id = connections_.peer_id();
    // Where nobody can connect to us we say 1, as libtorrent does: some trackers turn away who says 0.
    for (bool const v6 : {false, true}) facts.ports[v6] = std::max(session_.announced_ports[v6], std::uint16_t{1});
    facts.uploaded_bytes = connections_.uploaded_bytes();
    facts.downloaded_bytes = download_ ? download_->downloaded_bytes() : 0;
    // While the size is unknown anything but 0 tells the tracker that we are no seed; libtorrent says 16 KiB too.
    facts.left_bytes = download_ ? metainfo_->pieces().total_bytes() - download_->have_bytes() : kBlockBytes;
    facts.connected_peers = static_cast<std::uint32_t>(connections_.connected());
    PeerSupply supply;
    supply.somebody_waits = hurried();
    supply.complete = download_ && download_->complete();
    supply.connected = connections_.connected();
    supply.connections = active() ? session_.settings.connections_per_torrent : limit::kIdleTorrentConnections;
    supply.idle = connections_.known().counts().idle;
    facts.wants_peers = running_ && supply.wants_more();
    facts.partial_seed = download_ && !download_->complete() && !active();
    return facts;
}

asio::awaitable<void> Torrent::keep_ticking() {
    for (auto hopeful = session_.clock.now();;) {
        if (running_) connections_.tick();
        if (running_) peer_search_.update(need());
        if (running_ && !download_) metadata_fetch_->tick();
        if (readers_) readers_->tick();
        take_turns();
        if (running_ && download_) download_->replan();  // a check may have ended
        auto const now = session_.clock.now();
        if (now >= next_totals_) {
            next_totals_ = now + kTotalsInterval;
            keeper_.count(connections_.uploaded_bytes(), download_ ? download_->downloaded_bytes() : 0);
            if (keeper_.unsaved()) keeper_.save_soon();
            if (running_ && connections_.connected() > 0) peer_search_.save_in_background();
        }
        if (download_ || !running_ || !connections_.idle()) hopeful = now;
        co_await wait_at_most(session_.clock, tick_now_, tick_interval(now - hopeful >= kFruitless));
    }
}

// Players of other torrents go before what is copied or downloaded of this one.
void Torrent::take_turns() {
    auto& precedence = session_.precedence;
    precedence.received(session_.statistics.received.wanted, session_.clock.now());
    precedence.need(record_.info_hash, running_ && readers_ ? readers_->needed() : 0);
    connections_.limit_down(precedence.allowance(record_.info_hash));
}

// A torrent that nobody uses costs a wake-up every ten seconds; one that somebody waits for is looked at ten times a second.
// A magnet whose metadata nobody has had for a while costs one a second: who is found then is dialled at once anyway.
Duration Torrent::tick_interval(bool fruitless) const {
    if (fruitless) return 1s;
    if (hurried()) return 100ms;
    if (active()) return 250ms;
    return connections_.connected() > 0 ? Duration(1s) : Duration(10s);
}

}  // namespace rqfs::torrent
