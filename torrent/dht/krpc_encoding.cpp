#include "torrent/dht/krpc_message.h"
#include "torrent/metainfo/bencode.h"

#include <cassert>

namespace rqfs::torrent {

namespace {

constexpr std::string_view kVersion("RQ\0\1", 4);  // client and version, as BEP 5 has it

std::string_view name_of(KrpcMethod method) {
    switch (method) {
        case KrpcMethod::ping: return "ping";
        case KrpcMethod::find_node: return "find_node";
        case KrpcMethod::get_peers: return "get_peers";
        case KrpcMethod::announce_peer: return "announce_peer";
        case KrpcMethod::sample_infohashes: return "sample_infohashes";
        case KrpcMethod::unknown: break;
    }
    assert(false);
    return "";
}

void write_announcement(bencode::Writer& out, KrpcQuery const& query) {
    out.key("implied_port").integer(query.implied_port ? 1 : 0);
    out.key("info_hash").string(query.target.bytes());
    out.key("port").integer(query.port);
    out.key("seed").integer(query.seed ? 1 : 0);
    out.key("token").string(query.token);
}

void write_want(bencode::Writer& out, KrpcQuery const& query) {
    if (!query.want_v4 && !query.want_v6) return;
    out.key("want").begin_list();
    if (query.want_v4) out.string("n4");
    if (query.want_v6) out.string("n6");
    out.end();
}

void write_arguments(bencode::Writer& out, KrpcQuery const& query) {
    out.begin_dictionary().key("id").string(query.id.bytes());
    if (query.method == KrpcMethod::announce_peer) {
        write_announcement(out, query);
    } else if (query.method == KrpcMethod::get_peers) {
        out.key("info_hash").string(query.target.bytes());
        if (query.no_seeds) out.key("noseed").integer(1);
        if (query.scrape) out.key("scrape").integer(1);
    } else if (query.method != KrpcMethod::ping) {
        out.key("target").string(query.target.bytes());
    }
    write_want(out, query);
    out.end();
}

void write_nodes(bencode::Writer& out, std::string_view key, std::optional<std::vector<NodeContact>> const& nodes) {
    if (!nodes) return;
    std::vector<std::byte> compact;
    for (auto const& node : *nodes) append_compact_node(node, compact);
    out.key(key).string(compact);
}

void write_samples(bencode::Writer& out, KrpcSamples const& samples) {
    std::vector<std::byte> hashes;
    for (auto const& each : samples.samples) hashes.insert(hashes.end(), each.bytes().begin(), each.bytes().end());
    out.key("num").integer(samples.stored);
    out.key("samples").string(hashes);
}

void write_values(bencode::Writer& out, std::vector<Endpoint> const& values) {
    if (values.empty()) return;
    out.key("values").begin_list();
    for (auto const& peer : values) {
        std::vector<std::byte> compact;
        append_compact(peer, compact);
        out.string(compact);
    }
    out.end();
}

}  // namespace

std::vector<std::byte> encode_krpc(KrpcQuery const& query) {
    bencode::Writer out;
    out.begin_dictionary().key("a");
    write_arguments(out, query);
    out.key("q").string(name_of(query.method));
    if (query.read_only) out.key("ro").integer(1);
    out.key("t").string(query.transaction);
    if (query.names_program) out.key("v").string(kVersion);
    out.key("y").string("q").end();
    return out.take();
}

std::vector<std::byte> encode_krpc(KrpcReply const& reply) {
    bencode::Writer out;
    out.begin_dictionary();
    if (reply.requester) {
        std::vector<std::byte> compact;
        append_compact(*reply.requester, compact);
        out.key("ip").string(compact);
    }
    out.key("r").begin_dictionary();
    if (reply.downloaders) out.key("BFpe").string(reply.downloaders->bytes());
    if (reply.seeds) out.key("BFsd").string(reply.seeds->bytes());
    out.key("id").string(reply.id.bytes());
    if (reply.samples) out.key("interval").integer(reply.samples->interval.count());
    write_nodes(out, "nodes", reply.nodes);
    write_nodes(out, "nodes6", reply.nodes6);
    if (reply.samples) write_samples(out, *reply.samples);
    if (reply.token) out.key("token").string(*reply.token);
    write_values(out, reply.values);
    out.end().key("t").string(reply.transaction);
    if (reply.names_program) out.key("v").string(kVersion);
    out.key("y").string("r").end();
    return out.take();
}

std::vector<std::byte> encode_krpc(KrpcError const& error) {
    bencode::Writer out;
    out.begin_dictionary().key("e").begin_list().integer(error.code).string(error.text).end();
    out.key("t").string(error.transaction);
    if (error.names_program) out.key("v").string(kVersion);
    out.key("y").string("e").end();
    return out.take();
}

}  // namespace rqfs::torrent
