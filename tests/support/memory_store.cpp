#include "tests/support/memory_store.h"

#include "torrent/error.h"

#include <algorithm>

namespace rqfs::tests {

namespace asio = boost::asio;
using namespace torrent;

class MemoryStore::Pieces final : public PieceStore {
public:
    Pieces(MemoryStore& store, InfoHash const& info_hash, std::uint32_t pieces, Observer& observer)
        : store_(store), info_hash_(info_hash), observer_(observer), have_(pieces) {
        for (auto const& [piece, bytes] : store_.data_[info_hash_]) have_.set(piece);
        store_.open_[info_hash_] = this;
    }
    ~Pieces() override { store_.open_.erase(info_hash_); }

    Bitfield const& have() const override { return have_; }
    void put(PieceIndex piece, SharedBytes bytes) override {
        store_.data_[info_hash_].emplace(piece, std::move(bytes));
        have_.set(piece);
    }
    bool has_room() const override { return store_.room_; }
    std::optional<SharedBytes> try_read(PieceIndex piece, ByteRange range) override {
        return store_.in_memory_ ? std::optional(part(piece, range)) : std::nullopt;
    }
    SharedBytes part(PieceIndex piece, ByteRange range) const {
        auto const& bytes = store_.data_.at(info_hash_).at(piece);
        return bytes.slice(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.size()));
    }
    asio::awaitable<SharedBytes> read(PieceIndex piece, ByteRange range) override { co_return part(piece, range); }
    void start_check() override {}
    void cancel_check() override {}
    CheckProgress check_progress() const override { return {}; }
    Condition condition() const override { return {}; }
    void retry_now() override {}
    asio::awaitable<void> flush() override { co_return; }
    asio::awaitable<void> stop() override { co_return; }

    void lose(PieceIndex piece) {
        store_.data_[info_hash_].erase(piece);
        have_.clear(piece);
        observer_.pieces_lost(std::span(&piece, 1));
    }
    void room_changed() { observer_.store_changed(); }

private:
    MemoryStore& store_;
    InfoHash info_hash_;
    Observer& observer_;
    Bitfield have_;
};

asio::awaitable<std::vector<TorrentRecord>> MemoryStore::load() {
    std::vector<TorrentRecord> all;
    for (auto const& info_hash : order_) all.push_back(records.at(info_hash));
    co_return all;
}

asio::awaitable<void> MemoryStore::save(TorrentRecord record) {
    auto const info_hash = record.info_hash;
    if (records.insert_or_assign(info_hash, std::move(record)).second) order_.push_back(info_hash);
    co_return;
}

asio::awaitable<void> MemoryStore::forget(InfoHash info_hash, bool keep_data) {
    records.erase(info_hash);
    peers.erase(info_hash);
    std::erase(order_, info_hash);
    if (!keep_data) data_.erase(info_hash);
    co_return;
}

asio::awaitable<void> MemoryStore::save_peers(InfoHash info_hash, std::vector<Endpoint> saved) {
    peers[info_hash] = std::move(saved);
    co_return;
}

asio::awaitable<std::vector<Endpoint>> MemoryStore::load_peers(InfoHash info_hash) { co_return peers[info_hash]; }

asio::awaitable<void> MemoryStore::save_dht(std::vector<std::byte> state) {
    dht = std::move(state);
    co_return;
}

asio::awaitable<std::vector<std::byte>> MemoryStore::load_dht() { co_return dht; }

std::unique_ptr<PieceStore> MemoryStore::open(InfoHash info_hash, std::shared_ptr<PieceFacts const> facts, PieceStore::Observer& observer) {
    return std::make_unique<Pieces>(*this, info_hash, static_cast<std::uint32_t>(facts->hashes.size()), observer);
}

void MemoryStore::fill(InfoHash const& info_hash, std::vector<std::byte> const& bytes, std::uint32_t piece_bytes) {
    SharedBytes const all(bytes);
    PieceIndex piece;
    for (std::size_t begin = 0; begin < bytes.size(); begin += piece_bytes, ++piece)
        data_[info_hash][piece] = all.slice(begin, std::min<std::size_t>(piece_bytes, bytes.size() - begin));
}

void MemoryStore::lose(InfoHash const& info_hash, PieceIndex piece) { open_.at(info_hash)->lose(piece); }

void MemoryStore::set_room(bool room) {
    room_ = room;
    for (auto const& [info_hash, pieces] : open_) pieces->room_changed();
}

}  // namespace rqfs::tests
