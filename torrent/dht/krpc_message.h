#pragma once

#include "torrent/dht/compact_nodes.h"
#include "torrent/dht/node_id.h"
#include "torrent/dht/scrape_filter.h"
#include "torrent/endpoint.h"
#include "torrent/error.h"
#include "torrent/info_hash.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace rqfs::torrent {

// The DHT's messages: one bencoded dictionary a datagram (BEP 5). Plain values; pure.

enum class KrpcMethod { ping, find_node, get_peers, announce_peer, sample_infohashes, unknown };

// BEP 5's codes.
enum class KrpcFault { generic = 201, server = 202, protocol = 203, method_unknown = 204 };

struct KrpcQuery {
    std::string transaction;  // any bytes, echoed in the answer
    KrpcMethod method = KrpcMethod::ping;
    NodeId id;             // of the sender
    NodeId target;         // find_node, sample_infohashes; the info-hash of get_peers and announce_peer
    bool want_v4 = false;  // BEP 32; none: the family that the query came by
    bool want_v6 = false;
    bool read_only = false;  // BEP 43: the sender answers no queries
    bool scrape = false;     // get_peers, BEP 33
    bool no_seeds = false;
    std::string token;  // announce_peer
    std::uint16_t port = 0;
    bool implied_port = false;  // the peer's port is the one the datagram came from
    bool seed = false;
    std::optional<KrpcFault> fault;  // a query that can only be answered by this error
    bool names_program = true;       // says which program this is, as the two below do
};

// BEP 51.
struct KrpcSamples {
    std::chrono::seconds interval{0};
    std::int64_t stored = 0;
    std::vector<InfoHash> samples;
};

struct KrpcReply {
    std::string transaction;
    NodeId id;
    std::optional<Endpoint> requester;               // as the sender of the reply saw us (BEP 42)
    std::optional<std::vector<NodeContact>> nodes;   // IPv4
    std::optional<std::vector<NodeContact>> nodes6;  // BEP 32
    std::optional<std::string> token;
    std::vector<Endpoint> values;       // peers, of any family
    std::optional<ScrapeFilter> seeds;  // BEP 33
    std::optional<ScrapeFilter> downloaders;
    std::optional<KrpcSamples> samples;
    bool names_program = true;
};

struct KrpcError {
    std::string transaction;
    std::int64_t code = 0;
    std::string text;  // ours; theirs is not read
    bool names_program = true;
};

using KrpcMessage = std::variant<KrpcQuery, KrpcReply, KrpcError>;

// A datagram of at most limit::kDhtDatagramBytes from a stranger. An error when nothing can be answered; a query that
// is wrong inside comes with its fault. Unknown keys are ignored; lists are cut to the limits.
Result<KrpcMessage> parse_krpc(std::span<std::byte const> datagram);

std::vector<std::byte> encode_krpc(KrpcQuery const& query);
std::vector<std::byte> encode_krpc(KrpcReply const& reply);
std::vector<std::byte> encode_krpc(KrpcError const& error);

}  // namespace rqfs::torrent
