#include "tools/control/protocol.h"
#include "tools/control/quantity.h"
#include "tools/control/text.h"
#include "tools/rqfsctl/commands.h"
#include "tools/rqfsctl/failure.h"
#include "torrent/status.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace rqfs::tools {

namespace json = boost::json;

namespace {

void line(Context& context, std::string_view label, std::string const& text) {
    constexpr std::size_t width = 12;
    context.out << "  " << label << std::string(width - label.size(), ' ') << printable(text) << '\n';
}

// Empty where it is missing.
std::string sentence_in(json::object const& document, std::string_view name) {
    auto const* const text = document.if_contains(name);
    if (text == nullptr || !text->is_string()) return {};
    return printable(std::string(text->get_string().data(), text->get_string().size()));
}

void show_node(Context& context, torrent::DhtStatus const& node) {
    auto const number = [](std::uint32_t value) { return std::to_string(value); };
    context.out << (node.v6 ? "IPv6" : "IPv4")
                << (node.connected ? ": connected" : ": looking for nodes, none has answered lately")
                << (node.read_only ? ", answers nobody" : "") << '\n';
    line(context, "id", node.id);
    line(context, "address", node.external ? node.external->text() : "not known yet");
    line(context, "nodes",
         number(node.good) + " good, " + number(node.questionable) + " questionable, " + number(node.bad) +
             " bad, in " + counted(node.buckets, "bucket", "buckets") + "; " +
             counted(node.replacements, "waits", "wait") + " for a place");
    line(context, "searches", "for " + counted(node.searches, "torrent", "torrents"));
    line(context, "lookups",
         number(node.lookups) + " under way, " + counted(node.queries_in_flight, "query", "queries") + " unanswered");
    line(context, "stored",
         counted(node.stored_peers, "peer", "peers") + " of " + counted(node.stored_torrents, "torrent", "torrents"));
    line(context, "traffic", "down " + format_size(node.received_bytes) + ", up " + format_size(node.sent_bytes));
}

}  // namespace

int run_dht(Context& context) {
    auto const document = context.client.get("/v1/dht");
    if (context.arguments.json) {
        print_document(context, document);
        return kExitDone;
    }
    auto const* const object = document.if_object();
    auto const* const nodes = object == nullptr ? nullptr : object->if_contains("nodes");
    if (nodes == nullptr || !nodes->is_array()) throw Failure("the daemon's answer is malformed: it lacks \"nodes\"");
    auto const off = sentence_in(*object, "off");
    auto const obstacle = sentence_in(*object, "obstacle");
    if (!obstacle.empty()) context.out << obstacle << '\n';
    if (nodes->get_array().empty()) context.out << "the DHT is off" << (off.empty() ? "" : ": ") << off << '\n';
    for (auto const& element : nodes->get_array()) {
        auto const node = dht_from_json(element);
        if (!node) throw Failure("the daemon's answer is malformed: " + node.error().what);
        show_node(context, *node);
    }
    return kExitDone;
}

}  // namespace rqfs::tools
