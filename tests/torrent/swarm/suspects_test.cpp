#include "torrent/swarm/suspects.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

Salt const kSalt{std::byte{1}, std::byte{2}};
PeerHandle const kAlice(1);
PeerHandle const kBob(2);
PeerHandle const kCarol(3);
PieceIndex const kPiece(7);

using Handles = std::vector<PeerHandle>;

// Stands for the hash of a block's bytes: the true ones, or a lie.
Sha1Digest digest(std::uint32_t piece, std::uint32_t block, std::uint32_t lie = 0) {
    Sha1Digest digest{};
    for (std::size_t i = 0; i < 4; ++i) {
        digest[i] = static_cast<std::byte>(piece >> (8 * i));
        digest[4 + i] = static_cast<std::byte>(block >> (8 * i));
    }
    digest[8] = static_cast<std::byte>(lie);
    return digest;
}

// Hashes of a piece's blocks, of which those named are lies.
std::vector<Sha1Digest> hashes(PieceIndex piece, std::size_t blocks, std::set<std::size_t> const& lies = {}) {
    std::vector<Sha1Digest> hashes;
    for (std::size_t i = 0; i < blocks; ++i)
        hashes.push_back(digest(piece.value(), static_cast<std::uint32_t>(i), lies.contains(i) ? 1 : 0));
    return hashes;
}

TEST(SaltedBlockHashes, CutAPieceIntoBlocks) {
    std::vector<std::byte> bytes(kBlockBytes + 5, std::byte{9});
    SharedBytes const piece(bytes);

    auto const hashed = salted_block_hashes(kSalt, piece);

    ASSERT_EQ(hashed.size(), 2u);
    EXPECT_EQ(hashed[0], salted_block_hash(kSalt, std::span(bytes).first(kBlockBytes)));
    EXPECT_EQ(hashed[1], salted_block_hash(kSalt, std::span(bytes).last(5)));
    EXPECT_NE(hashed[1], salted_block_hash(Salt{}, std::span(bytes).last(5)));
    EXPECT_NE(hashed[1], sha1(std::span(bytes).last(5)));
}

TEST(Suspects, TheOnlySenderOfABadPieceIsBannedAtOnce) {
    Suspects suspects(kSalt);

    auto const verdict = suspects.piece_failed(kPiece, {kAlice, kAlice}, hashes(kPiece, 2, {1}));

    EXPECT_EQ(verdict.ban, Handles{kAlice});
    EXPECT_TRUE(verdict.parole.empty());
    EXPECT_TRUE(suspects.banned(kAlice));
    EXPECT_FALSE(suspects.needs_hashes(kPiece));
}

TEST(Suspects, SeveralSendersGoOnParole) {
    Suspects suspects(kSalt);

    auto const verdict = suspects.piece_failed(kPiece, {kAlice, kBob, kAlice}, hashes(kPiece, 3, {1}));

    EXPECT_TRUE(verdict.ban.empty());
    EXPECT_EQ(verdict.parole, (Handles{kAlice, kBob}));
    EXPECT_TRUE(suspects.on_parole(kAlice));
    EXPECT_TRUE(suspects.needs_hashes(kPiece));
    EXPECT_EQ(suspects.suspects(), (std::set{kAlice, kBob}));
}

TEST(Suspects, ThePieceThatPassesShowsWhoLied) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice, kBob, kAlice}, hashes(kPiece, 3, {1}));

    auto const verdict = suspects.piece_passed(kPiece, {kCarol, kCarol, kCarol}, hashes(kPiece, 3));

    EXPECT_EQ(verdict.ban, Handles{kBob});
    EXPECT_EQ(verdict.release, Handles{kAlice});
    EXPECT_FALSE(suspects.on_parole(kAlice));
    EXPECT_FALSE(suspects.needs_hashes(kPiece));
    EXPECT_TRUE(suspects.suspects().empty());
}

TEST(Suspects, EverybodyWhoLiedInAPieceIsShown) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice, kBob, kCarol}, hashes(kPiece, 3, {0, 2}));

    auto const verdict = suspects.piece_passed(kPiece, {kBob, kBob, kBob}, hashes(kPiece, 3));

    EXPECT_EQ(verdict.ban, (Handles{kAlice, kCarol}));
    EXPECT_EQ(verdict.release, Handles{kBob});
}

TEST(Suspects, ReceiptsOfEveryFailedAttemptCount) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice, kBob}, hashes(kPiece, 2, {0}));
    suspects.piece_failed(kPiece, {kCarol, kBob}, hashes(kPiece, 2, {0}));

    auto const verdict = suspects.piece_passed(kPiece, {kBob, kBob}, hashes(kPiece, 2));

    EXPECT_EQ(verdict.ban, (Handles{kAlice, kCarol}));
}

TEST(Suspects, AGoodPieceSentAloneEndsParole) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice, kBob}, hashes(kPiece, 2, {0}));

    auto const verdict = suspects.piece_passed(PieceIndex(8), {kBob, kBob}, {});

    EXPECT_EQ(verdict.release, Handles{kBob});
    EXPECT_TRUE(suspects.on_parole(kAlice));
}

TEST(Suspects, AGoodPieceSentInCompanyDoesNot) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice, kBob}, hashes(kPiece, 2, {0}));

    auto const verdict = suspects.piece_passed(PieceIndex(8), {kBob, kCarol}, {});

    EXPECT_TRUE(verdict.empty());
    EXPECT_TRUE(suspects.on_parole(kBob));
}

TEST(Suspects, ABadPieceSentAloneOnParoleIsABan) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice, kBob}, hashes(kPiece, 2, {0}));

    auto const verdict = suspects.piece_failed(PieceIndex(8), {kAlice}, hashes(PieceIndex(8), 1, {0}));

    EXPECT_EQ(verdict.ban, Handles{kAlice});
    EXPECT_FALSE(suspects.on_parole(kAlice));
}

TEST(Suspects, AReleasedLiarIsStillShownByTheFirstPiece) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice, kBob}, hashes(kPiece, 2, {0}));
    suspects.piece_passed(PieceIndex(8), {kAlice}, {});

    auto const verdict = suspects.piece_passed(kPiece, {kBob, kBob}, hashes(kPiece, 2));

    EXPECT_EQ(verdict.ban, Handles{kAlice});
}

TEST(Suspects, OnParoleForTwoPiecesOneAcquittalIsNotEnough) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice, kBob}, hashes(kPiece, 2, {0}));
    suspects.piece_failed(PieceIndex(8), {kCarol, kBob}, hashes(PieceIndex(8), 2, {0}));

    EXPECT_TRUE(suspects.piece_passed(kPiece, {kCarol, kBob}, hashes(kPiece, 2)).release.empty());
    EXPECT_EQ(suspects.piece_passed(PieceIndex(8), {kBob, kBob}, hashes(PieceIndex(8), 2)).release, Handles{kBob});
}

TEST(Suspects, AKnownLiarsBlockExplainsAFailureWithoutParoleForOthers) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice}, hashes(kPiece, 1, {0}));

    auto const verdict = suspects.piece_failed(PieceIndex(8), {kAlice, kBob}, hashes(PieceIndex(8), 2, {0}));

    EXPECT_TRUE(verdict.empty());
    EXPECT_FALSE(suspects.on_parole(kBob));
}

TEST(Suspects, ALiarWhoIsGoneExplainsAFailureStill) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice}, hashes(kPiece, 1, {0}));
    suspects.peer_left(kAlice);

    EXPECT_TRUE(suspects.piece_failed(PieceIndex(8), {kAlice, kBob}, hashes(PieceIndex(8), 2, {0})).empty());
}

TEST(Suspects, AnAccompliceOfAKnownLiarIsShownAllTheSame) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice}, hashes(kPiece, 1, {0}));
    suspects.piece_failed(PieceIndex(8), {kAlice, kBob}, hashes(PieceIndex(8), 2, {0, 1}));

    auto const verdict = suspects.piece_passed(PieceIndex(8), {kCarol, kCarol}, hashes(PieceIndex(8), 2));

    EXPECT_EQ(verdict.ban, Handles{kBob});
}

TEST(Suspects, ADifferingSecondCopyMakesBothSuspects) {
    Suspects suspects(kSalt);

    auto const verdict = suspects.block_differs({kPiece, BlockIndex(1)}, kAlice, kBob, digest(7, 1, 1));

    EXPECT_TRUE(verdict.ban.empty());
    EXPECT_EQ(verdict.parole, (Handles{kAlice, kBob}));
    EXPECT_TRUE(suspects.needs_hashes(kPiece));
}

TEST(Suspects, OfTwoDifferingCopiesThePieceShowsTheLiar) {
    Suspects suspects(kSalt);
    suspects.block_differs({kPiece, BlockIndex(1)}, kAlice, kBob, digest(7, 1, 1));

    auto const verdict = suspects.piece_passed(kPiece, {kAlice, kAlice}, hashes(kPiece, 2));

    EXPECT_EQ(verdict.ban, Handles{kBob});
    EXPECT_EQ(verdict.release, Handles{kAlice});
}

TEST(Suspects, IfTheStoredCopyWasTheLieItsSenderIsShown) {
    Suspects suspects(kSalt);
    suspects.block_differs({kPiece, BlockIndex(1)}, kAlice, kBob, digest(7, 1));
    suspects.piece_failed(kPiece, {kCarol, kAlice}, hashes(kPiece, 2, {1}));

    auto const verdict = suspects.piece_passed(kPiece, {kCarol, kBob}, hashes(kPiece, 2));

    EXPECT_EQ(verdict.ban, Handles{kAlice});
    EXPECT_EQ(verdict.release.size(), 2u);
}

TEST(Suspects, TwoDifferentAnswersOfOnePeerAreALie) {
    Suspects suspects(kSalt);

    EXPECT_EQ(suspects.block_differs({kPiece, BlockIndex(1)}, kAlice, kAlice, digest(7, 1, 1)).ban, Handles{kAlice});
}

TEST(Suspects, ABlockOfAPieceThatNeverFailedNeedsNoSecondWitness) {
    Suspects suspects(kSalt);

    EXPECT_TRUE(suspects.confirms({kPiece, BlockIndex(0)}, kAlice, digest(7, 0, 1)));
    EXPECT_FALSE(suspects.needs_hashes(kPiece));
}

TEST(Suspects, OfAPieceThatFailedABlockIsTakenWhenSomebodyElseSentTheSame) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice, kBob}, hashes(kPiece, 2, {1}));

    EXPECT_TRUE(suspects.confirms({kPiece, BlockIndex(0)}, kBob, digest(7, 0)));
    EXPECT_FALSE(suspects.confirms({kPiece, BlockIndex(1)}, kAlice, digest(7, 1)));
    EXPECT_TRUE(suspects.confirms({kPiece, BlockIndex(1)}, kCarol, digest(7, 1))) << "as Alice says";
}

TEST(Suspects, WhoSentTheDisputedBlockIsShownByThePiece) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice, kBob}, hashes(kPiece, 2, {1}));
    suspects.confirms({kPiece, BlockIndex(0)}, kCarol, digest(7, 0, 2));

    auto const verdict = suspects.piece_passed(kPiece, {kAlice, kAlice}, hashes(kPiece, 2));

    EXPECT_EQ(verdict.ban, (Handles{kBob, kCarol}));
    EXPECT_EQ(verdict.release, Handles{kAlice});
}

TEST(Suspects, WhoRepeatsItselfIsTakenAtItsWord) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice, kBob}, hashes(kPiece, 2, {1}));

    EXPECT_FALSE(suspects.confirms({kPiece, BlockIndex(0)}, kBob, digest(7, 0, 2)));
    EXPECT_TRUE(suspects.confirms({kPiece, BlockIndex(0)}, kBob, digest(7, 0, 2)));
}

TEST(Suspects, AfterFourDifferentCopiesAnyIsTaken) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice, kBob}, hashes(kPiece, 2, {1}));

    for (std::uint32_t peer = 10; peer < 13; ++peer)
        EXPECT_FALSE(suspects.confirms({kPiece, BlockIndex(0)}, PeerHandle(peer), digest(7, 0, peer)));

    EXPECT_TRUE(suspects.confirms({kPiece, BlockIndex(0)}, PeerHandle(13), digest(7, 0, 13)));
}

TEST(Suspects, PaddingHasNoSenderWhoCouldShareTheBlame) {
    Suspects suspects(kSalt);
    PeerHandle const nobody(0);

    auto const verdict = suspects.piece_failed(kPiece, {kAlice, nobody}, hashes(kPiece, 2, {0}));

    EXPECT_EQ(verdict.ban, Handles{kAlice});
    EXPECT_TRUE(verdict.parole.empty());
}

TEST(Suspects, AGoodPieceSentAloneWithPaddingEndsParole) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice, kBob, PeerHandle(0)}, hashes(kPiece, 3, {0}));
    EXPECT_FALSE(suspects.on_parole(PeerHandle(0)));

    auto const verdict = suspects.piece_passed(PieceIndex(8), {kBob, PeerHandle(0)}, {});

    EXPECT_EQ(verdict.release, Handles{kBob});
}

TEST(Suspects, KeepsReceiptsOfABoundedNumberOfBlocks) {
    Suspects suspects(kSalt);
    std::size_t const blocks = limit::kBadBlockReceipts / 2;
    Handles senders(blocks, kAlice);
    senders.front() = kBob;

    for (std::uint32_t piece = 0; piece < 3; ++piece)
        suspects.piece_failed(PieceIndex(piece), senders, hashes(PieceIndex(piece), blocks, {0}));

    EXPECT_FALSE(suspects.needs_hashes(PieceIndex(0)));
    EXPECT_TRUE(suspects.needs_hashes(PieceIndex(1)));
    EXPECT_TRUE(suspects.needs_hashes(PieceIndex(2)));
}

TEST(Suspects, NobodyIsBannedTwice) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice}, {});

    EXPECT_TRUE(suspects.piece_failed(PieceIndex(8), {kAlice}, {}).empty());
}

TEST(Suspects, APieceThatPassesWithoutSuspicionNeedsNoHashes) {
    Suspects suspects(kSalt);

    EXPECT_FALSE(suspects.needs_hashes(kPiece));
    EXPECT_TRUE(suspects.piece_passed(kPiece, {kAlice, kBob}, {}).empty());
}

TEST(Suspects, ALiarWhoLeftIsShownStill) {
    Suspects suspects(kSalt);
    suspects.piece_failed(kPiece, {kAlice, kBob}, hashes(kPiece, 2, {0}));
    suspects.peer_left(kAlice);
    EXPECT_TRUE(suspects.suspects().contains(kAlice));

    auto const verdict = suspects.piece_passed(kPiece, {kBob, kBob}, hashes(kPiece, 2));

    EXPECT_EQ(verdict.ban, Handles{kAlice});
    EXPECT_EQ(verdict.release, Handles{kBob});
}

TEST(Suspects, WithoutHashesThreeParolesAreABan) {
    Suspects suspects(kSalt);
    for (std::uint32_t round = 0; round < 2; ++round) {
        EXPECT_TRUE(suspects.piece_failed(kPiece, {kAlice, PeerHandle(100 + round)}, {}).ban.empty());
        EXPECT_TRUE(suspects.piece_failed(kPiece, {kAlice, PeerHandle(200 + round)}, {}).ban.empty());
        EXPECT_EQ(suspects.piece_passed(PieceIndex(9), {kAlice}, {}).release, Handles{kAlice});
    }

    EXPECT_EQ(suspects.piece_failed(kPiece, {kAlice, kBob}, {}).ban, Handles{kAlice});
}

TEST(Suspects, KeepsReceiptsOfABoundedNumberOfPieces) {
    Suspects suspects(kSalt);
    auto const pieces = static_cast<std::uint32_t>(limit::kBadPieceReceipts) + 1;
    for (PieceIndex piece(0); piece.value() < pieces; ++piece)
        suspects.piece_failed(piece, {kAlice, kBob}, hashes(piece, 2, {0}));

    EXPECT_FALSE(suspects.needs_hashes(PieceIndex(0)));
    EXPECT_TRUE(suspects.needs_hashes(PieceIndex(1)));
    for (PieceIndex piece(1); piece.value() < pieces; ++piece)
        EXPECT_TRUE(suspects.piece_passed(piece, {kBob, kCarol}, hashes(piece, 2)).release.empty());
    EXPECT_TRUE(suspects.on_parole(kBob));
    EXPECT_EQ(suspects.piece_passed(PieceIndex(0), {kBob}, {}).release, Handles{kBob});
}

// A swarm in which liars spoil blocks. Pieces are fetched by everybody together, many at a time; those on parole fetch
// whole pieces alone.
class Swarm {
public:
    enum class Lie {
        always,      // one block of each piece it takes part in
        in_company,  // never when it sends a piece alone
        sometimes,   // one block in ten
    };

    Swarm(std::uint32_t honest, std::uint32_t liars, Lie lie, std::uint32_t in_flight, unsigned seed)
        : random_(seed), lie_(lie), in_flight_(in_flight) {
        for (std::uint32_t i = 0; i < honest + liars; ++i) peers_.push_back(PeerHandle(i));
        for (std::uint32_t i = 0; i < liars; ++i) liars_.insert(PeerHandle(honest + i));
    }

    void run(std::uint32_t pieces) {
        for (PieceIndex first(0); first.value() < pieces; first = PieceIndex(first.value() + in_flight_)) {
            std::vector<PieceIndex> open;
            for (std::uint32_t i = 0; i < in_flight_; ++i) open.push_back(PieceIndex(first.value() + i));
            for (int attempt = 0; !open.empty() && attempt < 1000; ++attempt) open = fetch_all(open);
            ASSERT_TRUE(open.empty());
        }
    }

    std::set<PeerHandle> banned() const { return banned_; }
    std::set<PeerHandle> const& liars() const { return liars_; }
    std::uint32_t most_bad_pieces() const {
        std::uint32_t most = 0;
        for (auto const& [peer, bad] : bad_pieces_) most = std::max(most, bad);
        return most;
    }

private:
    static constexpr std::size_t kBlocks = 16;

    struct Sent {
        Handles senders;
        std::vector<Sha1Digest> hashes;
        bool good = true;
    };

    // Everything of one batch is sent before anything of it is judged, as in a busy swarm.
    std::vector<PieceIndex> fetch_all(std::vector<PieceIndex> const& open) {
        std::vector<std::pair<PieceIndex, Sent>> batch;
        for (auto const piece : open) batch.emplace_back(piece, fetch(piece));
        std::shuffle(batch.begin(), batch.end(), random_);
        std::vector<PieceIndex> failed;
        for (auto const& [piece, sent] : batch) {
            auto const verdict = sent.good ? suspects_.piece_passed(piece, sent.senders, sent.hashes)
                                           : suspects_.piece_failed(piece, sent.senders, sent.hashes);
            if (!sent.good) failed.push_back(piece);
            for (auto const peer : verdict.ban) {
                banned_.insert(peer);
                std::erase(peers_, peer);
            }
        }
        return failed;
    }

    Sent fetch(PieceIndex piece) {
        auto const alone = pick([this](auto peer) { return suspects_.on_parole(peer); });
        auto const team =
            std::count_if(peers_.begin(), peers_.end(), [this](auto p) { return !suspects_.on_parole(p); });
        Sent sent;
        std::set<PeerHandle> lied;
        auto const single = alone && (team == 0 || random_() % 2 == 0);
        for (std::uint32_t block = 0; block < kBlocks; ++block) {
            auto const peer = single ? *alone : *pick([this](auto p) { return !suspects_.on_parole(p); });
            auto const bad = liars_.contains(peer) && lies(peer, single, lied);
            sent.senders.push_back(peer);
            // All liars send the same bad block, as if they had agreed.
            sent.hashes.push_back(digest(piece.value(), block, bad ? 1 : 0));
            if (bad) lied.insert(peer);
        }
        sent.good = lied.empty();
        for (auto const peer : lied) ++bad_pieces_[peer];
        return sent;
    }

    bool lies(PeerHandle peer, bool alone, std::set<PeerHandle> const& lied) {
        if (lie_ == Lie::sometimes) return random_() % 10 == 0;
        if (lie_ == Lie::in_company && alone) return false;
        return !lied.contains(peer);
    }

    template <class Predicate>
    std::optional<PeerHandle> pick(Predicate predicate) {
        Handles candidates;
        std::copy_if(peers_.begin(), peers_.end(), std::back_inserter(candidates), predicate);
        if (candidates.empty()) return std::nullopt;
        return candidates[random_() % candidates.size()];
    }

    std::mt19937 random_;
    Lie lie_;
    std::uint32_t in_flight_;
    Suspects suspects_{kSalt};
    Handles peers_;
    std::set<PeerHandle> liars_;
    std::set<PeerHandle> banned_;
    std::map<PeerHandle, std::uint32_t> bad_pieces_;
};

TEST(SuspectsInASwarm, FindAllLiarsAndNobodyElse) {
    for (auto const lie : {Swarm::Lie::always, Swarm::Lie::in_company, Swarm::Lie::sometimes})
        for (std::uint32_t const honest : {1u, 3u, 20u})
            for (std::uint32_t const liars : {1u, 5u, 19u})
                for (std::uint32_t const in_flight : {1u, 8u, 200u})
                    for (unsigned seed = 1; seed <= 2; ++seed) {
                        SCOPED_TRACE(testing::Message()
                                     << "honest " << honest << " liars " << liars << " in flight " << in_flight
                                     << " lie " << static_cast<int>(lie) << " seed " << seed);
                        Swarm swarm(honest, liars, lie, in_flight, seed);

                        swarm.run(400);

                        for (auto const peer : swarm.banned()) ASSERT_TRUE(swarm.liars().contains(peer));
                        ASSERT_EQ(swarm.banned().size(), liars);
                    }
}

TEST(SuspectsInASwarm, NoLiarSpoilsMoreThanThreePiecesThatAreFetchedOneByOne) {
    for (std::uint32_t const liars : {1u, 5u, 19u})
        for (unsigned seed = 1; seed <= 20; ++seed) {
            SCOPED_TRACE(testing::Message() << "liars " << liars << " seed " << seed);
            Swarm swarm(1, liars, Swarm::Lie::always, 1, seed);

            swarm.run(300);

            EXPECT_LE(swarm.most_bad_pieces(), 3u);
            EXPECT_EQ(swarm.banned(), swarm.liars());
        }
}

}  // namespace
}  // namespace rqfs::torrent
