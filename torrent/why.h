#pragma once

#include "torrent/endpoint.h"
#include "torrent/status.h"
#include "torrent/units.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rqfs::torrent {

// How long a read may wait, which the filesystem decides.
struct ReadLimit {
    std::chrono::milliseconds timeout{0};  // 0: for ever
    std::string error;                     // what the program is told then: "EIO" or "EAGAIN"; empty: not known
};

// What the readers of one file wait for: a snapshot that refers to no live object, of bounded size.
struct WhyStatus {
    struct Peer {
        Endpoint endpoint;
        bool choking = true;  // it does not let us download
    };
    struct Asked {
        Endpoint endpoint;
        bool choking = true;
        std::chrono::milliseconds ago{0};       // when it was asked
        std::chrono::milliseconds expected{0};  // from now until the block should be here
    };
    struct Block {
        BlockIndex block;
        std::vector<Asked> asked;  // the first; empty: nobody yet
    };
    struct Piece {
        PieceIndex piece;
        std::uint32_t blocks = 0;
        std::uint32_t blocks_here = 0;     // all: its hash is being checked
        bool failed = false;               // its hash was wrong before: others are asked, and two have to agree
        std::uint32_t peers = 0;           // connected ones that have it
        std::uint32_t peers_unchoked = 0;  // of them, those who let us download
        std::vector<Peer> holders;         // the first of them, those who let us download before the others
        std::vector<Block> missing;        // the first blocks, those that were asked for before the others
    };
    struct Read {
        ByteRange range;  // of the file
        std::chrono::milliseconds waited{0};
        std::uint32_t missing_pieces = 0;
        std::vector<PieceIndex> pieces;  // the first of them
    };
    struct Reader {
        std::string program;  // empty when unknown
        std::uint32_t process_id = 0;
        bool greedy = false;         // reads as fast as it is given; else paced, like a player
        double rate = 0;             // bytes a second it reads
        std::uint64_t position = 0;  // in the file: where its last read ended
        std::vector<Read> reads;     // those that wait, the longest wait first
    };

    TorrentState state = TorrentState::metadata;
    std::string reason;  // of the torrent, as in its status
    std::string obstacle;  // why nothing goes out at all: the interface or the proxy is away; empty: nothing is known
    std::string path;    // of the file, as the torrent says it; empty while the metadata is missing
    std::uint64_t size_bytes = 0;
    std::uint64_t have_bytes = 0;
    std::uint32_t open = 0;       // handles of the file
    std::vector<Reader> readers;  // those that wait before the others
    std::vector<Piece> pieces;    // that the reads above wait for
    ReadLimit limit;              // the engine leaves it empty
};

namespace limit {

// Of what is told of one file: what a person reads, and less than an extended attribute may have (64 KiB).
inline constexpr std::size_t kWhyReaders = 8;
inline constexpr std::size_t kWhyReads = 4;   // of a reader
inline constexpr std::size_t kWhyPieces = 4;  // of a read
inline constexpr std::size_t kWhyAllPieces = 8;
inline constexpr std::size_t kWhyBlocks = 16;  // of a piece
inline constexpr std::size_t kWhyPeers = 8;    // that have a piece
inline constexpr std::size_t kWhyAsked = 3;    // for a block

}  // namespace limit

// The same in words, for people: lines that each end with '\n', without control characters.
std::string explain(WhyStatus const& why);

}  // namespace rqfs::torrent
