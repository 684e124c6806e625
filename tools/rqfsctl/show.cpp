#include "tools/control/protocol.h"
#include "tools/control/quantity.h"
#include "tools/control/text.h"
#include "tools/rqfsctl/commands.h"
#include "tools/rqfsctl/failure.h"
#include "tools/rqfsctl/table.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include <array>
#include <cstddef>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rqfs::tools {

namespace json = boost::json;
using Align = Table::Align;

namespace {

constexpr std::size_t kBarWidth = 12;
constexpr std::size_t kWideBarWidth = 30;

template <class T>
T checked(torrent::Result<T> result) {
    if (!result) throw Failure("the daemon's answer is malformed: " + result.error().what);
    return std::move(*result);
}

json::array const& list_in(json::value const& document, std::string_view name) {
    auto const* const object = document.if_object();
    auto const* const list = object == nullptr ? nullptr : object->if_contains(name);
    if (list == nullptr || !list->is_array())
        throw Failure("the daemon's answer is malformed: it lacks \"" + std::string(name) + "\"");
    return list->get_array();
}

std::string member_text(json::value const& document, std::string_view name) {
    auto const* const object = document.if_object();
    auto const* const text = object == nullptr ? nullptr : object->if_contains(name);
    if (text == nullptr || !text->is_string())
        throw Failure("the daemon's answer is malformed: it lacks \"" + std::string(name) + "\"");
    return std::string(text->get_string().data(), text->get_string().size());
}

double share(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string progress_cell(Context const& context, double fraction) {
    return context.out_is_terminal ? progress_bar(fraction, kBarWidth) + " " + format_percent(fraction)
                                   : format_percent(fraction);
}

std::string or_dash(std::string text) { return text.empty() ? "-" : text; }

void show_list(Context& context, json::value const& document) {
    Table table({{"HASH"},
                 {"STATE"},
                 {"DONE", Align::right},
                 {"SIZE", Align::right},
                 {"DOWN", Align::right},
                 {"UP", Align::right},
                 {"PEERS", Align::right},
                 {"NAME"}});
    for (auto const& element : list_in(document, "torrents")) {
        auto const s = checked(torrent_from_json(element)).status;
        bool const checking = s.state == torrent::TorrentState::checking;
        table.add({s.info_hash.short_hex(), std::string(name(s.state)),
                   progress_cell(context, checking ? s.check_progress : s.progress),
                   s.pieces == 0 ? "-" : format_size(s.size_bytes), or_dash(format_rate(s.down_rate)),
                   or_dash(format_rate(s.up_rate)), std::to_string(s.peers_connected), s.name});
    }
    table.print(context.out);
}

void show_files(Context& context, json::value const& document) {
    Table table({{"#", Align::right}, {"DONE", Align::right}, {"SIZE", Align::right}, {"WANTED"}, {"PATH"}});
    for (auto const& element : list_in(document, "files")) {
        auto const file = checked(file_from_json(element));
        if (file.pad) continue;
        double const done = file.size_bytes == 0 ? 1 : share(file.have_bytes, file.size_bytes);
        table.add({std::to_string(file.index.value()), progress_cell(context, done), format_size(file.size_bytes),
                   file.wanted ? "yes" : "-", file.path});
    }
    table.print(context.out);
}

// d and u: data may flow down or up now; capital: wanted, but the other side does not let it. i: it called us. S: it
// stopped sending.
std::string flags(torrent::PeerStatus const& peer) {
    std::string text;
    if (peer.interesting) text += peer.choking_us ? 'D' : 'd';
    if (peer.interested_in_us) text += peer.choked_by_us ? 'U' : 'u';
    if (peer.incoming) text += 'i';
    if (peer.snubbed) text += 'S';
    return or_dash(text);
}

void show_peers(Context& context, json::value const& document) {
    Table table({{"ADDRESS"},
                 {"FLAGS"},
                 {"HAS", Align::right},
                 {"DOWN", Align::right},
                 {"UP", Align::right},
                 {"REQUESTS", Align::right},
                 {"RTT", Align::right},
                 {"SOURCE"},
                 {"CLIENT"}});
    for (auto const& element : list_in(document, "peers")) {
        auto const peer = checked(peer_from_json(element));
        auto const round_trip = peer.round_trip.count() == 0 ? "-" : std::to_string(peer.round_trip.count()) + " ms";
        table.add({peer.endpoint.text(), flags(peer), format_percent(peer.progress),
                   or_dash(format_rate(peer.down_rate)), or_dash(format_rate(peer.up_rate)),
                   std::to_string(peer.requests_in_flight), round_trip, peer.source, peer.client});
    }
    table.print(context.out);
}

void line(Context& context, std::string_view label, std::string const& text) {
    constexpr std::size_t width = 12;
    context.out << "  " << label << std::string(width - label.size(), ' ') << printable(text) << '\n';
}

std::string local_time(std::chrono::sys_seconds time) {
    std::time_t const seconds = time.time_since_epoch().count();
    std::tm parts{};
    std::array<char, 64> text{};
    localtime_r(&seconds, &parts);
    return std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts) == 0 ? "-" : text.data();
}

std::string progress_line(Context const& context, double fraction, std::uint64_t have, std::uint64_t all) {
    auto const bar = context.out_is_terminal ? progress_bar(fraction, kWideBarWidth) + " " : std::string();
    return bar + format_percent(fraction) + ", " + format_size(have) + " of " + format_size(all);
}

std::string plus_reason(std::string text, std::string const& reason) {
    return reason.empty() ? text : text + ": " + reason;
}

void show_torrent(Context& context, json::value const& document) {
    auto const reply = checked(torrent_from_json(document));
    auto const& s = reply.status;
    context.out << printable(s.name) << '\n';
    line(context, "info-hash", s.info_hash.hex());
    line(context, "path", or_dash(reply.path));
    line(context, "state", plus_reason(std::string(name(s.state)), s.reason));
    if (s.state == torrent::TorrentState::checking) line(context, "checked", format_percent(s.check_progress));
    if (s.pieces > 0) {
        line(context, "progress", progress_line(context, s.progress, s.have_bytes, s.size_bytes));
        line(context, "pieces",
             std::to_string(s.have_pieces) + " of " + std::to_string(s.pieces) + ", " + format_size(s.piece_bytes) +
                 " each");
    }
    if (s.wanted_bytes > 0)
        line(context, "wanted",
             progress_line(context, share(s.wanted_have_bytes, s.wanted_bytes), s.wanted_have_bytes, s.wanted_bytes));
    line(context, "rates", "down " + or_dash(format_rate(s.down_rate)) + ", up " + or_dash(format_rate(s.up_rate)));
    line(context, "transferred",
         "down " + format_size(s.downloaded_bytes) + ", up " + format_size(s.uploaded_bytes) + ", wasted " +
             format_size(s.wasted_bytes));
    line(context, "peers",
         std::to_string(s.peers_connected) + " connected, " +
             counted(s.seeds_connected, "of them a seed", "of them seeds") + "; " + std::to_string(s.peers_known) +
             " known");
    line(context, "readers",
         counted(s.readers, "open file", "open files") + ", " + counted(s.blocked_reads, "read", "reads") +
             " waiting for data");
    line(context, "private", s.is_private ? "yes" : "no");
    line(context, "added", local_time(s.added));
}

std::string filter_line(torrent::IpFilterStatus const& filter) {
    auto text = counted(filter.ranges, "range", "ranges") + " of " + counted(filter.files, "list", "lists") + ", " +
                counted(filter.refused_connections, "connection", "connections") + " refused";
    if (filter.bad_lines > 0) text += ", " + counted(filter.bad_lines, "bad line", "bad lines") + " skipped";
    return plus_reason(text, printable(filter.trouble));
}

std::string interface_line(torrent::InterfaceStatus const& interface) {
    auto const changed = interface.changed ? format_duration(*interface.changed) : std::string();
    if (!interface.trouble.empty())
        return interface.trouble + (changed.empty() ? "" : "; it has been away for " + changed);
    std::string addresses;
    for (auto const& address : interface.addresses) addresses += (addresses.empty() ? "" : ", ") + address.text();
    auto text = "everything goes through " + interface.device + " (" + addresses + ")";
    if (interface.losses > 0)
        text += "; back for " + changed + ", gone " +
                (interface.losses == 1 ? "once" : std::to_string(interface.losses) + " times") + " since the start";
    else if (interface.changed)
        text += "; there for " + changed;
    return text;
}

std::string router_line(torrent::PortMappingStatus const& mapping, bool v6) {
    auto const message = printable(mapping.message);
    std::string const none = v6 ? "no port is opened" : "no port is mapped";
    if (mapping.state == "off") return none + ": " + message;
    if (mapping.state == "searching") return message.empty() ? "looking for it" : "looking for it again: " + message;
    if (mapping.state != "mapped") return none + ", it is tried again: " + message;
    auto text = printable(mapping.method) + (v6 ? " opens " : " maps ");
    if (mapping.external) text += mapping.external->text() + " ";
    text += "port " + std::to_string(mapping.external_port) + (v6 ? " for us" : " to us");
    if (mapping.renewed) text += ", renewed " + format_duration(*mapping.renewed) + " ago";
    return message.empty() ? text : text + "; " + message;
}

std::string config_line(ConfigTrouble const& trouble) {
    auto const when = trouble.since ? format_duration(*trouble.since) + " ago" : std::string();
    return "could not be read again" + (when.empty() ? when : " " + when) +
           ", the settings from before go on: " + trouble.message;
}

void show_session(Context& context, json::value const& document) {
    auto const reply = checked(session_from_json(document));
    auto const& s = reply.status;
    context.out << "rqfs " << printable(reply.version) << ", process " << reply.process_id << '\n';
    if (!reply.config.message.empty()) line(context, "config", config_line(reply.config));
    line(context, "mounted at", or_dash(reply.mountpoint));
    line(context, "store", or_dash(reply.store) + ", " + format_size(s.disk_free_bytes) + " free");
    std::string listening;
    for (auto const& endpoint : s.listening) listening += (listening.empty() ? "" : ", ") + endpoint.text();
    line(context, "listening", or_dash(listening));
    if (!s.interface.setting.empty()) line(context, "interface", interface_line(s.interface));
    // Without the interface the proxy is not to be reached either, which its line says.
    if (!s.proxy.empty())
        line(context, "proxy", plus_reason(s.proxy, s.interface.trouble.empty() ? reply.obstacle : ""));
    line(context, "incoming", s.incoming_seen ? "peers from the internet have connected to us" : "no peer from the internet has connected to us yet");
    line(context, "router", router_line(s.port_mapping, false));
    line(context, "IPv6 router", router_line(s.pinhole, true));
    auto const& filter = s.ip_filter;
    if (filter.files > 0 || !filter.trouble.empty()) line(context, "IP filter", filter_line(filter));
    line(context, "torrents", std::to_string(s.torrents));
    line(context, "peers", std::to_string(s.peers));
    line(context, "down", or_dash(format_rate(s.down_rate)) + " (limit " + format_limit(s.down_limit) + ")");
    line(context, "up", or_dash(format_rate(s.up_rate)) + " (limit " + format_limit(s.up_limit) + ")");
}

int show_path(Context& context) {
    auto const reply =
        checked(torrent_from_json(context.client.get(torrent_target(context.arguments.torrents.front()))));
    if (reply.path.empty()) throw Failure("\"" + printable(reply.status.name) + "\" is not mounted");
    json::object document;
    document["path"] = reply.path;
    if (context.arguments.json)
        print_document(context, document);
    else
        context.out << for_output(context, reply.path) << '\n';
    return kExitDone;
}

}  // namespace

int run_show(Context& context) {
    auto const& arguments = context.arguments;
    if (arguments.command == "path") return show_path(context);
    bool const of_torrent = !arguments.torrents.empty();
    std::string target = of_torrent ? torrent_target(arguments.torrents.front()) : "/v1/" + arguments.command;
    if (arguments.command == "list")
        target = "/v1/torrents";
    else if (of_torrent && arguments.command != "status")
        target += "/" + arguments.command;
    auto const document = context.client.get(target);
    if (arguments.json)
        print_document(context, document);
    else if (arguments.command == "list")
        show_list(context, document);
    else if (arguments.command == "files")
        show_files(context, document);
    else if (arguments.command == "peers")
        show_peers(context, document);
    else if (arguments.command == "magnet")
        context.out << for_output(context, member_text(document, "magnet")) << '\n';
    else if (of_torrent)
        show_torrent(context, document);
    else
        show_session(context, document);
    return kExitDone;
}

}  // namespace rqfs::tools
