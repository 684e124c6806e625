#pragma once

#include "torrent/dht/krpc_message.h"
#include "torrent/dht/peer_store.h"
#include "torrent/dht/routing_table.h"
#include "torrent/dht/tokens.h"
#include "torrent/endpoint.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace rqfs::torrent {

// Answers other nodes' queries from what the node knows: its tables, the peers announced to it. Owned by a DhtNode;
// pure.
class Responder {
public:
    // The tables of both families; null where there is no node.
    struct Tables {
        RoutingTable const* v4 = nullptr;
        RoutingTable const* v6 = nullptr;
    };
    struct Answer {
        std::vector<std::byte> bytes;
        bool proves_address = false;  // the query had a token of ours
    };

    // anonymous: answers do not say which program this is.
    Responder(bool v6, bool test_network, Tokens::Secret const& secret, TimePoint now, bool anonymous = false)
        : v6_(v6), test_network_(test_network), anonymous_(anonymous), tokens_(secret, now) {}

    // In at most `room` bytes, leaving out nodes and peers; nothing where even that does not fit. `random` picks among
    // the stored.
    std::optional<Answer> answer(KrpcQuery const& query, Endpoint const& from, Tables const& tables, std::size_t room,
                                 std::uint64_t random, TimePoint now);

    Tokens& tokens() { return tokens_; }
    PeerStore& store() { return store_; }
    PeerStore const& store() const { return store_; }

private:
    RoutingTable const& own_table(Tables const& tables) const { return v6_ ? *tables.v6 : *tables.v4; }
    std::vector<std::byte> fault(KrpcQuery const& query, KrpcFault code, std::string_view text) const;
    KrpcReply basic(KrpcQuery const& query, Endpoint const& from, Tables const& tables) const;
    Answer announce(KrpcQuery const& query, Endpoint const& from, Tables const& tables, TimePoint now);
    void add_nodes(KrpcReply& reply, KrpcQuery const& query, Tables const& tables, std::size_t room,
                   TimePoint now) const;
    void add_stored(KrpcReply& reply, KrpcQuery const& query, std::size_t room, std::uint64_t random,
                    TimePoint now) const;

    bool v6_;
    bool test_network_;
    bool anonymous_;
    Tokens tokens_;
    PeerStore store_;
};

}  // namespace rqfs::torrent
