#include "torrent/swarm/suspects.h"

#include <algorithm>
#include <cassert>

namespace rqfs::torrent {

namespace {

// Receipts of one piece: of four attempts at it. A piece that fails more often has shown its liars or has new ones.
constexpr std::size_t kAttempts = 4;
// Remembered for the pieces in flight that hold their blocks: ten times the connections of a session.
constexpr std::size_t kBans = 4'096;
constexpr PeerHandle kNobody(0);

}  // namespace

Sha1Digest salted_block_hash(Salt const& salt, std::span<std::byte const> block) {
    Sha1 hash;
    hash.update(salt);
    hash.update(block);
    return hash.finish();
}

std::vector<Sha1Digest> salted_block_hashes(Salt const& salt, SharedBytes const& piece) {
    std::vector<Sha1Digest> hashes;
    for (auto rest = piece.bytes(); !rest.empty(); rest = rest.subspan(std::min<std::size_t>(rest.size(), kBlockBytes)))
        hashes.push_back(salted_block_hash(salt, rest.first(std::min<std::size_t>(rest.size(), kBlockBytes))));
    return hashes;
}

Suspects::Verdict Suspects::piece_failed(PieceIndex piece, std::vector<PeerHandle> const& senders,
                                         std::vector<Sha1Digest> const& hashes) {
    assert(hashes.empty() || hashes.size() == senders.size());
    Verdict verdict;
    std::set<PeerHandle> contributors(senders.begin(), senders.end());
    contributors.erase(kNobody);
    if (contributors.empty()) return verdict;
    if (contributors.size() == 1) {
        ban(*contributors.begin(), verdict);
        return verdict;
    }
    // A known liar's block in the piece explains the failure: no need to slow the others down.
    auto const explained = std::any_of(contributors.begin(), contributors.end(), [this](auto p) { return banned(p); });
    if (hashes.empty()) {
        for (auto const peer : contributors)
            if (!explained) count_unproven(peer, verdict);
        return verdict;
    }
    auto& open = open_case(piece);
    for (std::uint32_t block = 0; block < senders.size(); ++block)
        if (senders[block] != kNobody && !banned(senders[block]))
            add_receipt(open, {BlockIndex(block), senders[block], hashes[block]}, kAttempts * senders.size());
    for (auto const peer : contributors)
        if (!explained) accuse(piece, peer, verdict);
    forget_old_receipts();
    return verdict;
}

Suspects::Verdict Suspects::piece_passed(PieceIndex piece, std::vector<PeerHandle> const& senders,
                                         std::vector<Sha1Digest> const& hashes) {
    Verdict verdict;
    if (auto const found = cases_.find(piece); found != cases_.end()) {
        assert(hashes.size() == senders.size());
        auto const closed = std::move(found->second);
        cases_.erase(found);
        std::erase(case_order_, piece);
        for (auto const& receipt : closed.receipts)
            if (receipt.hash != hashes.at(receipt.block.value())) ban(receipt.peer, verdict);
        for (auto const peer : closed.accused) acquit(piece, peer, verdict);
    }
    std::set<PeerHandle> contributors(senders.begin(), senders.end());
    contributors.erase(kNobody);
    if (contributors.size() == 1) release(*contributors.begin(), verdict);
    return verdict;
}

Suspects::Verdict Suspects::block_differs(BlockAddress block, PeerHandle stored_from, PeerHandle second,
                                          Sha1Digest const& second_hash) {
    Verdict verdict;
    if (stored_from == second) {
        // Two different answers for one block: at least one of them is a lie.
        ban(second, verdict);
        return verdict;
    }
    auto& open = open_case(block.piece);
    if (!banned(second)) add_receipt(open, {block.block, second, second_hash}, std::min(open.receipts.size() + 1, limit::kBadBlockReceipts));
    if (banned(stored_from) || banned(second)) return verdict;
    accuse(block.piece, stored_from, verdict);
    accuse(block.piece, second, verdict);
    return verdict;
}

bool Suspects::confirms(BlockAddress block, PeerHandle peer, Sha1Digest const& hash) {
    auto const found = cases_.find(block.piece);
    if (found == cases_.end()) return true;
    auto& receipts = found->second.receipts;
    auto const others = std::ranges::count(receipts, block.block, &Receipt::block);
    auto const same = std::ranges::count_if(receipts, [&](Receipt const& r) { return r.block == block.block && r.hash == hash; });
    if (others == 0 || same > 0 || static_cast<std::size_t>(others) >= kAttempts) return true;
    if (!banned(peer)) receipts.push_back({block.block, peer, hash});
    return false;
}

void Suspects::forget_old_receipts() {
    auto const all = [this] {
        std::size_t count = 0;
        for (auto const& [piece, open] : cases_) count += open.receipts.size();
        return count;
    };
    while (case_order_.size() > 1 && all() > limit::kBadBlockReceipts) close_unproven(case_order_.front());
}

Suspects::Case& Suspects::open_case(PieceIndex piece) {
    auto const known = cases_.find(piece);
    if (known != cases_.end()) return known->second;
    if (cases_.size() >= limit::kBadPieceReceipts) close_unproven(case_order_.front());
    case_order_.push_back(piece);
    return cases_[piece];
}

void Suspects::close_unproven(PieceIndex piece) {
    for (auto const peer : cases_.at(piece).accused) {
        auto const parole = parole_.find(peer);
        if (parole == parole_.end()) continue;
        parole->second.cases.erase(piece);
        parole->second.unresolved = true;
    }
    cases_.erase(piece);
    std::erase(case_order_, piece);
}

void Suspects::add_receipt(Case& open, Receipt const& receipt, std::size_t most) {
    if (std::find(open.receipts.begin(), open.receipts.end(), receipt) != open.receipts.end()) return;
    if (open.receipts.size() >= most) open.receipts.erase(open.receipts.begin());
    open.receipts.push_back(receipt);
}

void Suspects::accuse(PieceIndex piece, PeerHandle peer, Verdict& verdict) {
    if (banned(peer)) return;
    cases_.at(piece).accused.insert(peer);
    auto const [parole, added] = parole_.try_emplace(peer);
    parole->second.cases.insert(piece);
    if (added) verdict.parole.push_back(peer);
}

void Suspects::acquit(PieceIndex piece, PeerHandle peer, Verdict& verdict) {
    auto const parole = parole_.find(peer);
    if (parole == parole_.end()) return;
    parole->second.cases.erase(piece);
    if (parole->second.cases.empty() && !parole->second.unresolved) release(peer, verdict);
}

void Suspects::release(PeerHandle peer, Verdict& verdict) {
    if (parole_.erase(peer) > 0) verdict.release.push_back(peer);
}

void Suspects::ban(PeerHandle peer, Verdict& verdict) {
    if (!banned_.insert(peer).second) return;
    verdict.ban.push_back(peer);
    if (banned_.size() > kBans) banned_.erase(banned_.begin());  // the oldest: handles only grow
    parole_.erase(peer);
    unproven_.erase(peer);
    for (auto& [piece, open] : cases_) {
        std::erase_if(open.receipts, [peer](Receipt const& receipt) { return receipt.peer == peer; });
        open.accused.erase(peer);
    }
}

void Suspects::count_unproven(PeerHandle peer, Verdict& verdict) {
    auto const [parole, added] = parole_.try_emplace(peer);
    parole->second.unresolved = true;
    if (!added) return;
    if (++unproven_[peer] >= limit::kBadPiecesBeforeBan) {
        ban(peer, verdict);
        return;
    }
    verdict.parole.push_back(peer);
}

bool Suspects::on_parole(PeerHandle peer) const { return parole_.contains(peer); }

std::set<PeerHandle> Suspects::suspects() const {
    std::set<PeerHandle> suspects;
    for (auto const& [peer, parole] : parole_) suspects.insert(peer);
    for (auto const& [piece, open] : cases_)
        for (auto const& receipt : open.receipts) suspects.insert(receipt.peer);
    return suspects;
}

void Suspects::peer_left(PeerHandle peer) {
    parole_.erase(peer);
    unproven_.erase(peer);
    for (auto& [piece, open] : cases_) open.accused.erase(peer);
}

}  // namespace rqfs::torrent
