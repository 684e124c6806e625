#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rqfs::torrent {

// Limits on what strangers can make grow, each with its source. LT: libtorrent 2, TR: Transmission 4, AN: anacrolix/torrent.
namespace limit {

// Metainfo and bencode.
inline constexpr std::size_t kTorrentFileBytes = 64u << 20;       // 2,097,152 v1 pieces need 40 MiB
inline constexpr std::size_t kMetadataBytes = 16u << 20;          // AN; the largest of 6,498 seen in the wild had 4.24 MB
inline constexpr std::size_t kMetadataBytesInFlight = 64u << 20;  // over all magnets
inline constexpr std::size_t kMetadataSizesPerTorrent = 4;        // assemblies of different claimed sizes side by side
inline constexpr std::uint32_t kBencodeDepthTorrent = 128;        // LT 100
inline constexpr std::uint32_t kBencodeDepthMessage = 16;         // TR 8 for trackers
inline constexpr std::uint32_t kBencodeTokensTorrent = 4'000'000; // LT 3,000,000; 500,000 files need 3.5 million
inline constexpr std::uint32_t kBencodeTokensMessage = 4'096;
inline constexpr std::uint32_t kPieces = 2'097'152;               // LT max_piece_count
inline constexpr std::uint64_t kPieceBytes = 536'854'528;         // LT (2^15 - 1) * 16 KiB
inline constexpr std::uint64_t kTotalBytes = (std::uint64_t{1} << 48) - 1;  // LT
inline constexpr std::size_t kFiles = 500'000;                    // a real torrent has 300,000 (qBittorrent#8449)
inline constexpr std::size_t kPathDepth = 100;                    // LT max_directory_depth
inline constexpr std::size_t kMagnetBytes = 64u << 10;
inline constexpr std::size_t kMagnetTrackers = 64;
inline constexpr std::size_t kMagnetWebSeeds = 32;
inline constexpr std::size_t kMagnetPeers = 64;
inline constexpr std::size_t kSelectRanges = 1'024;               // ranges of so= (BEP 53 sets none)
inline constexpr std::size_t kTrackersPerTorrent = 256;           // twice what tracker list sites hand out
inline constexpr std::size_t kWebSeedsPerTorrent = 32;            // as many as of a magnet

// Connections.
inline constexpr std::size_t kPendingIncoming = 64;               // handshakes under way
inline constexpr std::size_t kPendingIncomingPerAddress = 3;      // of IPv6 a /64
inline constexpr std::size_t kPeersPerAddress = 3;                // of a torrent; IPv6: of a /64. LT allows one, but people share a NAT's address
inline constexpr std::size_t kHalfOpenPerTorrent = 25;            // AN
inline constexpr std::size_t kHalfOpen = 100;                     // AN
inline constexpr std::uint32_t kDialsPerSecond = 30;              // LT connection_speed
inline constexpr std::size_t kIdleTorrentConnections = 10;        // a torrent that nobody reads keeps this many
inline constexpr std::chrono::seconds kConnectTimeout{8};         // between rain's 5 and LT's 15
inline constexpr std::chrono::seconds kHandshakeTimeout{10};      // LT; AN lost 1 % of its peers with 4
inline constexpr std::chrono::seconds kKeepAlive{60};             // AN; BEP 3 asks for 120
inline constexpr std::chrono::seconds kPeerSilence{120};          // LT peer_timeout
inline constexpr std::chrono::seconds kMidMessageStall{30};       // slowloris: a message once begun goes on
inline constexpr std::chrono::seconds kInactivity{600};           // LT: neither side interested and slots are short
inline constexpr std::size_t kPeerListEntries = 2'000;            // rain; LT 3,000
inline constexpr std::size_t kPeersPerNetworkAndSource = 8;       // per /24 (IPv6: /64) and source
inline constexpr std::size_t kNeighbours = 64;                    // instead, by LSD, whose peers are all in one: larger than any household's
inline constexpr std::size_t kPortsPerNeighbour = 4;              // of these at one address: several clients, or one that came back at another port
inline constexpr std::uint32_t kMaxDialFailures = 3;              // LT max_failcount
inline constexpr std::size_t kLingering = 256;                    // ended connections on an interface; as many dials as fail in 8 s
inline constexpr std::size_t kLingeringLookups = 64;              // sockets of name lookups that have ended: 32 of the usual two servers
inline constexpr std::chrono::seconds kLingerReading{3};          // twice the round trips and retransmissions of a bad mobile line
inline constexpr std::chrono::seconds kLingerUnread{2};           // then no more is read: its window shuts, and some round trips pass
inline constexpr std::chrono::milliseconds kLingerAtStop{500};    // of the 3 s promised: a round trip or two
inline constexpr std::chrono::seconds kRedial{60};                // times failures; LT min_reconnect_time
inline constexpr std::size_t kPeerLogLevels = 64;                 // of a torrent, set by the user; nobody follows more
inline constexpr std::size_t kExternalAddressVotes = 50;          // the newest that are counted; LT ip_voter

// The user's lists of addresses; not a stranger's, but somebody else writes them.
inline constexpr std::size_t kIpFilterBytes = 256u << 20;         // a file, unpacked; lists that people use have 10 to 60 MB
inline constexpr std::size_t kIpFilterRanges = 2'000'000;         // of all files: 16 MB; the longest lists have a million
inline constexpr std::size_t kIpFilterLineBytes = 4'096;          // names are shorter

// Wire.
inline constexpr std::size_t kMessageBytes = 1u << 20;            // LT; a longer bitfield is allowed
inline constexpr std::uint32_t kServedRequestBytes = kMessageBytes >> 6;      // 16 KiB: BEP 3
inline constexpr std::uint32_t kRejectedRequestBytes = 128u << 10;            // above: disconnect
inline constexpr std::uint32_t kRequestsIn = 500;                 // reqq we advertise; TR
inline constexpr std::uint32_t kRequestsOut = 500;                // LT max_out_request_queue
inline constexpr std::uint32_t kRequestsOutDefault = 250;         // AN: peers that do not say reqq
inline constexpr std::uint32_t kRequestsOutBitComet = 50;         // LT: -BCxxxx- ids
inline constexpr std::uint32_t kUnaskedBlocks = 64;               // more than were ever asked: 1 MiB of mischief
inline constexpr std::uint32_t kRejectsInARow = 50;               // LT max_rejects
inline constexpr std::size_t kAllowedFast = 5;                    // LT allowed_fast_set_size
inline constexpr std::size_t kReceiveBufferBytes = 256u << 10;    // 4 to 7 receives a MiB (measured)
inline constexpr std::size_t kSendBufferBytes = 512u << 10;       // queued for one peer
inline constexpr std::size_t kUnverifiedBytes = 64u << 20;        // AN MaxUnverifiedBytes
inline constexpr std::size_t kBadPieceReceipts = 64;              // pieces whose block hashes are kept to find the liar
inline constexpr std::size_t kBadBlockReceipts = 131'072;         // four tries at a piece of 512 MiB: some 5 MB
inline constexpr std::uint32_t kBadPiecesBeforeBan = 3;           // without proof

// Trackers.
inline constexpr std::size_t kTrackerReplyBytes = 1u << 20;       // LT
inline constexpr std::size_t kTrackerPeers = 400;                 // used of one reply
inline constexpr std::size_t kTrackerTextBytes = 512;             // failure and warning texts
inline constexpr std::uint32_t kRedirects = 5;                    // LT
inline constexpr std::chrono::seconds kTrackerTime{30};           // a whole request
inline constexpr std::chrono::seconds kTrackerStopTime{2};        // event=stopped while the daemon ends
inline constexpr std::chrono::seconds kMinAnnounceInterval{60};
inline constexpr std::chrono::seconds kDefaultAnnounceInterval{1800};
inline constexpr std::chrono::seconds kMaxAnnounceInterval{86'400};
inline constexpr std::uint32_t kAnnouncesAtOnce = 50;             // LT
inline constexpr std::uint32_t kBencodeTokensTracker = 65'536;   // eight a peer in the older form: 400 peers take 3,200, a reply of 1 MiB seldom more
inline constexpr std::chrono::seconds kEarlyAnnounce{120};        // TR: between announces where the tracker names no `min interval`
inline constexpr std::uint32_t kNumWant = 200;                    // LT
inline constexpr std::chrono::seconds kUdpConnectionId{60};       // BEP 15
inline constexpr std::size_t kUrlBytes = 8u << 10;
inline constexpr std::size_t kHttpHeaderBytes = 64u << 10;

// Proxies.
inline constexpr std::chrono::seconds kProxyTime{15};             // to reach it, and as long again to be given a relay for datagrams
inline constexpr std::size_t kProxyNames = 4'096;                 // names in use; of trackers some 256 a torrent, mostly shared
inline constexpr std::size_t kProxyDatagramsWaiting = 64;         // while the relay is being asked for; the first seconds of a DHT

// DHT; times and counts are of one node, and there is one node an address family. JD: jech/dht.
inline constexpr std::size_t kDhtDatagramBytes = 1'500;           // longer ones are dropped: a path's MTU
inline constexpr std::size_t kDhtReplyBytes = 1'000;              // BEP 32 asks for at most 1,024
inline constexpr std::uint32_t kBencodeTokensDht = 512;           // 100 values and all fields take 150
inline constexpr std::size_t kDhtTransactionBytes = 32;           // theirs, echoed; clients use 2 to 8
inline constexpr std::size_t kDhtTokenBytes = 64;                 // theirs, kept until the announce; clients use 4 to 20
inline constexpr std::size_t kDhtNodesPerReply = 16;              // used of one reply, each family; k is 8
inline constexpr std::size_t kDhtValuesPerReply = 100;            // used of one reply; LT
inline constexpr std::size_t kDhtValuesSent = 50;                 // LT 100, which breaks BEP 32's size with IPv6
inline constexpr std::size_t kDhtSamplesSent = 20;                // LT
inline constexpr std::chrono::seconds kDhtQueryTimeout{8};        // LT 15, which holds its place too long; rqbit 10
inline constexpr std::size_t kDhtQueriesInFlight = 256;
inline constexpr std::uint32_t kDhtQueryBytesPerSecond = 20'000;  // own queries; burst of 2 s; LT 8,000, too little for a reader
inline constexpr std::uint32_t kDhtUrgentBytesPerSecond = 20'000; // as many again while somebody waits, for whom it is
inline constexpr std::size_t kDhtUrgentInFlight = 64;             // beside the 256
inline constexpr std::uint32_t kDhtUpkeepBytesPerSecond = 500;    // of upkeep alone: its check a second, and a lookup of 60 in half a minute
inline constexpr std::size_t kDhtUpkeepInFlight = 32;             // beside all others: 8 s of them
inline constexpr std::size_t kDhtLookupQueries = 60;
inline constexpr std::size_t kDhtLookupPeers = 2'000;             // as many as a peer list holds
inline constexpr std::size_t kDhtLookups = 16;                    // at once; others wait
inline constexpr std::size_t kDhtUrgentLookups = 16;              // beside them, that somebody waits for
inline constexpr std::size_t kDhtNodesPerNetwork = 8;             // per /24 (IPv6: /64) in the table; 1 in a bucket: LT
inline constexpr std::size_t kDhtEnoughNodes = 8;                 // k: whoever has them finds more by itself
inline constexpr std::size_t kDhtSavedNodes = 300;
inline constexpr std::chrono::minutes kDhtSaveInterval{10};       // what a crash loses of the table
inline constexpr std::size_t kDhtStoredHashes = 2'000;            // LT dht_max_torrents
inline constexpr std::size_t kDhtStoredPeers = 500;               // per info-hash; LT dht_max_peers
inline constexpr std::size_t kDhtStoredPeersPerAddress = 4;       // per info-hash: ports of one NAT
inline constexpr std::chrono::minutes kDhtPeerLife{30};           // LT
inline constexpr std::chrono::minutes kDhtTokenSecretLife{5};     // BEP 5; the one before is accepted too
inline constexpr std::uint32_t kDhtQueriesPerAddress = 10;        // a second, burst of 50; LT 5
inline constexpr std::uint32_t kDhtQueriesPerSecond = 100;        // in all, burst of 400; JD
inline constexpr std::uint32_t kDhtAnswerBytesPerSecond = 16'000; // burst of 2 s; LT 8,000
inline constexpr std::size_t kDhtAddressesRemembered = 1'024;     // for these limits, of strangers and of others

// Reading.
inline constexpr std::uint64_t kKeptIndexBytesPerFile = 4u << 20;  // of an open media file: two hours of .mp4 have 3 to 6 MB; of a longer one the beginning
inline constexpr std::uint64_t kKeptIndexBytes = 32u << 20;       // of all of them; a quarter of the memory for pieces
inline constexpr std::size_t kCursorsPerReader = 3;               // mp4 players alternate between audio and video offsets

}  // namespace limit

}  // namespace rqfs::torrent
