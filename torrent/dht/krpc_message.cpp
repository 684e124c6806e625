#include "torrent/dht/krpc_message.h"

#include "torrent/metainfo/bencode.h"
#include "torrent/settings.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace rqfs::torrent {

namespace {

using bencode::Value;

constexpr std::array<std::pair<std::string_view, KrpcMethod>, 5> kMethods{{
    {"ping", KrpcMethod::ping},
    {"find_node", KrpcMethod::find_node},
    {"get_peers", KrpcMethod::get_peers},
    {"announce_peer", KrpcMethod::announce_peer},
    {"sample_infohashes", KrpcMethod::sample_infohashes},
}};

KrpcMethod method_of(std::string_view name) {
    for (auto const& [text, method] : kMethods)
        if (text == name) return method;
    return KrpcMethod::unknown;
}

std::optional<std::int64_t> integer(Value const& dictionary, std::string_view key) {
    auto const found = dictionary.find(key);
    return found ? found->integer() : std::nullopt;
}

bool flag(Value const& dictionary, std::string_view key) { return integer(dictionary, key).value_or(0) != 0; }

std::optional<std::span<std::byte const>> bytes(Value const& dictionary, std::string_view key) {
    auto const found = dictionary.find(key);
    return found ? found->bytes() : std::nullopt;
}

std::optional<NodeId> id(Value const& dictionary, std::string_view key) {
    auto const found = bytes(dictionary, key);
    if (!found || found->size() != NodeId::kBytes) return std::nullopt;
    return NodeId::from_bytes(*found).value();
}

void read_want(Value const& arguments, KrpcQuery& query) {
    auto const want = arguments.find("want");
    if (!want) return;
    for (auto const& each : want->elements()) {
        query.want_v4 = query.want_v4 || each.text() == "n4";
        query.want_v6 = query.want_v6 || each.text() == "n6";
    }
}

// False when the announcement cannot be understood.
bool read_announcement(Value const& arguments, KrpcQuery& query) {
    auto const token = arguments.find("token");
    auto const text = token ? token->text() : std::nullopt;
    if (!text || text->size() > limit::kDhtTokenBytes) return false;
    query.token = *text;
    query.implied_port = flag(arguments, "implied_port");
    query.seed = flag(arguments, "seed");
    auto const port = integer(arguments, "port").value_or(0);
    if (!query.implied_port && (port < 1 || port > 65'535)) return false;
    if (port >= 1 && port <= 65'535) query.port = static_cast<std::uint16_t>(port);
    return true;
}

// What the methods need; the fault where something is missing.
std::optional<KrpcFault> read_arguments(Value const& arguments, KrpcQuery& query) {
    auto const sender = id(arguments, "id");
    if (!sender) return KrpcFault::protocol;
    query.id = *sender;
    read_want(arguments, query);
    if (query.method == KrpcMethod::ping) return std::nullopt;
    bool const by_hash = query.method == KrpcMethod::get_peers || query.method == KrpcMethod::announce_peer;
    auto target = id(arguments, by_hash ? "info_hash" : "target");
    if (query.method == KrpcMethod::unknown) {
        // Methods of later times carry a target where they want the nodes near it.
        if (!target) target = id(arguments, "info_hash");
        if (!target) return KrpcFault::method_unknown;
        query.method = KrpcMethod::find_node;
    }
    if (!target) return KrpcFault::protocol;
    query.target = *target;
    query.scrape = flag(arguments, "scrape");
    query.no_seeds = flag(arguments, "noseed");
    if (query.method == KrpcMethod::announce_peer && !read_announcement(arguments, query)) return KrpcFault::protocol;
    return std::nullopt;
}

KrpcQuery read_query(Value const& root, std::string transaction) {
    KrpcQuery query;
    query.transaction = std::move(transaction);
    query.read_only = integer(root, "ro") == 1;
    auto const name = root.find("q");
    auto const arguments = root.find("a");
    if (!name || !name->text() || !arguments) {
        query.fault = KrpcFault::protocol;
        return query;
    }
    query.method = method_of(*name->text());
    query.fault = read_arguments(*arguments, query);
    return query;
}

std::optional<Endpoint> compact_endpoint(std::span<std::byte const> compact) {
    if (compact.size() != 6 && compact.size() != 18) return std::nullopt;
    auto const endpoint = compact.size() == 6 ? parse_compact_v4(compact) : parse_compact_v6(compact);
    return endpoint.front();
}

void read_values(Value const& response, KrpcReply& reply) {
    auto const values = response.find("values");
    if (!values) return;
    for (auto const& each : values->elements()) {
        if (reply.values.size() == limit::kDhtValuesPerReply) return;
        auto const compact = each.bytes();
        auto const endpoint = compact ? compact_endpoint(*compact) : std::nullopt;
        if (endpoint && endpoint->port != 0) reply.values.push_back(*endpoint);
    }
}

std::optional<ScrapeFilter> filter(Value const& response, std::string_view key) {
    auto const found = bytes(response, key);
    if (!found || found->size() != ScrapeFilter::kBytes) return std::nullopt;
    return ScrapeFilter::from_bytes(*found).value();
}

void read_samples(Value const& response, KrpcReply& reply) {
    auto const found = bytes(response, "samples");
    if (!found) return;
    auto& samples = reply.samples.emplace();
    samples.interval =
        std::chrono::seconds(std::clamp<std::int64_t>(integer(response, "interval").value_or(0), 0, 21'600));
    samples.stored = integer(response, "num").value_or(0);
    for (std::size_t at = 0; at + InfoHash::kBytes <= found->size(); at += InfoHash::kBytes)
        samples.samples.push_back(InfoHash::from_bytes(found->subspan(at, InfoHash::kBytes)).value());
}

Result<KrpcMessage> read_reply(Value const& root, std::string transaction) {
    auto const response = root.find("r");
    auto const sender = response ? id(*response, "id") : std::nullopt;
    if (!sender) return error(Errc::malformed, "a reply without the id of its sender");
    KrpcReply reply;
    reply.transaction = std::move(transaction);
    reply.id = *sender;
    if (auto const seen = bytes(root, "ip")) reply.requester = compact_endpoint(*seen);
    if (auto const nodes = bytes(*response, "nodes"))
        reply.nodes = parse_compact_nodes(*nodes, false, limit::kDhtNodesPerReply);
    if (auto const nodes = bytes(*response, "nodes6"))
        reply.nodes6 = parse_compact_nodes(*nodes, true, limit::kDhtNodesPerReply);
    if (auto const token = response->find("token");
        token && token->text() && token->text()->size() <= limit::kDhtTokenBytes)
        reply.token = *token->text();
    read_values(*response, reply);
    reply.seeds = filter(*response, "BFsd");
    reply.downloaders = filter(*response, "BFpe");
    read_samples(*response, reply);
    return KrpcMessage(std::move(reply));
}

KrpcError read_error(Value const& root, std::string transaction) {
    KrpcError failure;
    failure.transaction = std::move(transaction);
    auto const list = root.find("e");
    auto const elements = list ? list->elements() : std::vector<Value>();
    if (!elements.empty()) failure.code = elements.front().integer().value_or(0);
    return failure;
}

}  // namespace

Result<KrpcMessage> parse_krpc(std::span<std::byte const> datagram) {
    if (datagram.size() > limit::kDhtDatagramBytes)
        return error(Errc::too_large, "a DHT message of more than 1,500 bytes");
    auto const document =
        bencode::Document::parse(datagram, bencode::Limits{limit::kBencodeDepthMessage, limit::kBencodeTokensDht});
    if (!document) return document.error();
    auto const root = document->root();
    auto const transaction = root.find("t");
    auto const kind = root.find("y");
    if (!transaction || !transaction->text() || transaction->text()->size() > limit::kDhtTransactionBytes || !kind)
        return error(Errc::malformed, "a DHT message without transaction or kind");
    std::string id(*transaction->text());
    if (kind->text() == "q") return KrpcMessage(read_query(root, std::move(id)));
    if (kind->text() == "r") return read_reply(root, std::move(id));
    if (kind->text() == "e") return KrpcMessage(read_error(root, std::move(id)));
    return error(Errc::malformed, "a DHT message of unknown kind");
}

}  // namespace rqfs::torrent
