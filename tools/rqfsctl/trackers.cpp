#include "tools/control/protocol.h"
#include "tools/control/quantity.h"
#include "tools/control/text.h"
#include "tools/rqfsctl/commands.h"
#include "tools/rqfsctl/failure.h"
#include "tools/rqfsctl/table.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::tools {

namespace json = boost::json;
using Align = Table::Align;

namespace {

json::array list_of(std::vector<std::string> const& texts) {
    json::array list;
    for (auto const& text : texts) list.emplace_back(to_utf8(text));
    return list;
}

// What is wrong with it, behind its URL.
std::string remarks(torrent::TrackerStatus const& tracker) {
    auto text = tracker.url;
    if (!tracker.message.empty()) text += ": " + tracker.message;
    bool const works = tracker.state != "failed";
    for (auto const& family : tracker.families)
        if (works && family.state == "failed")
            text += std::string("; over ") + (family.v6 ? "IPv6: " : "IPv4: ") + family.message;
    if (works && !tracker.seeders && !tracker.scrape_message.empty()) text += "; no figures: " + tracker.scrape_message;
    return text;
}

void show_trackers(Context& context, json::array const& list) {
    Table table({{"TIER", Align::right},
                 {"STATE"},
                 {"PEERS", Align::right},
                 {"SEEDS", Align::right},
                 {"LEECHERS", Align::right},
                 {"DOWNLOADS", Align::right},
                 {"NEXT", Align::right},
                 {"TRACKER"}});
    auto const number = [](std::optional<std::uint32_t> value) {
        return value ? std::to_string(*value) : std::string("-");
    };
    for (auto const& element : list) {
        auto const tracker = tracker_from_json(element);
        if (!tracker) throw Failure("the daemon's answer is malformed: " + tracker.error().what);
        auto const next = tracker->next_announce ? format_duration(*tracker->next_announce) : "-";
        table.add({std::to_string(tracker->tier), tracker->state, std::to_string(tracker->peers),
                   number(tracker->seeders), number(tracker->leechers), number(tracker->downloads), next,
                   remarks(*tracker)});
    }
    table.print(context.out);
}

// One tier each, as the trackers of a magnet link.
json::array tiers_of(std::vector<std::string> const& urls) {
    json::array tiers;
    for (auto const& url : urls) tiers.push_back(list_of({url}));
    return tiers;
}

json::object edit_of(Arguments const& arguments) {
    json::object body;
    if (!arguments.replace_trackers.empty()) body["replace"] = tiers_of(arguments.replace_trackers);
    if (!arguments.remove_trackers.empty()) body["remove"] = list_of(arguments.remove_trackers);
    if (!arguments.add_trackers.empty()) body["add"] = list_of(arguments.add_trackers);
    if (arguments.tier) body["tier"] = *arguments.tier;
    return body;
}

void show_warning(Context& context, json::object const& document) {
    auto const* const warning = document.if_contains("warning");
    if (warning == nullptr || !warning->is_string()) return;
    auto const& text = warning->get_string();
    context.err << "rqfsctl: " << printable(std::string(text.data(), text.size())) << '\n';
}

}  // namespace

int run_trackers(Context& context) {
    auto const target = torrent_target(context.arguments.torrents.front()) + "/trackers";
    auto const edit = edit_of(context.arguments);
    auto const document = edit.empty() ? context.client.get(target) : context.client.patch(target, edit);
    auto const* const object = document.if_object();
    auto const* const list = object == nullptr ? nullptr : object->if_contains("trackers");
    if (list == nullptr || !list->is_array()) throw Failure("the daemon's answer is malformed: it lacks \"trackers\"");
    show_warning(context, *object);
    if (context.arguments.json)
        print_document(context, document);
    else if (edit.empty())
        show_trackers(context, list->get_array());
    return kExitDone;
}

}  // namespace rqfs::tools
