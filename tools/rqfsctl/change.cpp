#include "tools/control/host_and_port.h"
#include "tools/control/protocol.h"
#include "tools/control/quantity.h"
#include "tools/control/text.h"
#include "tools/rqfsctl/commands.h"
#include "tools/rqfsctl/failure.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace rqfs::tools {

namespace json = boost::json;

namespace {

// The daemon promises 3 s.
constexpr std::chrono::milliseconds kStopTime{10'000};

constexpr std::chrono::milliseconds kPoll{200};
constexpr std::uint32_t kDialSeconds = 10;  // the daemon gives a peer 8 to take the connection

std::uint32_t dial_seconds(Context const& context) { return context.arguments.timeout.value_or(kDialSeconds); }

// `file` as the torrent's own path, when it is a path inside the torrent's directory of the mount. Nothing is read of
// the file.
std::string inside_torrent(std::string const& file, std::string const& torrent_path) {
    namespace filesystem = std::filesystem;
    std::error_code code;
    if (torrent_path.empty() || !filesystem::exists(filesystem::symlink_status(file, code))) return file;
    auto const real = filesystem::canonical(file, code).string();
    if (code) return file;
    auto const directory = filesystem::canonical(torrent_path, code).string() + "/";
    if (code || !real.starts_with(directory)) return file;
    return real.substr(directory.size());
}

TorrentReply parse_torrent(json::value const& document) {
    auto reply = torrent_from_json(document);
    if (!reply) throw Failure("the daemon's answer is malformed: " + reply.error().what);
    return std::move(*reply);
}

// What begins with the wish to have files.
std::string fetching(Context const& context, torrent::TorrentStatus const& status) {
    if (status.state == torrent::TorrentState::paused)
        return "Nothing is fetched before " + command_on(context, "resume") + ": the torrent is paused.";
    auto const shows = ": " + command_on(context, "status") + " shows how far it is.";
    if (status.pieces == 0) return "Fetching begins when the metadata is here" + shows;
    if (status.wanted_have_bytes >= status.wanted_bytes) return "All of it is here.";
    return "Fetching " + format_size(status.wanted_bytes - status.wanted_have_bytes) + " in the background" + shows;
}

int run_download(Context& context) {
    auto const target = torrent_target(context.arguments.torrents.front());
    json::object body;
    if (!context.arguments.files.empty()) {
        auto const path = parse_torrent(context.client.get(target)).path;
        json::array files;
        for (auto const& file : context.arguments.files) files.emplace_back(to_utf8(inside_torrent(file, path)));
        body["files"] = std::move(files);
    }
    auto const document = context.client.post(target + "/download", body);
    if (context.arguments.json)
        print_document(context, document);
    else
        context.out << fetching(context, parse_torrent(document).status) << '\n';
    return kExitDone;
}

json::value change_one(Context& context, std::string const& text) {
    auto const target = torrent_target(text);
    if (context.arguments.command == "remove")
        return context.client.remove(target + (context.arguments.keep_data ? "?keep_data=true" : ""));
    return context.client.post(target + "/" + context.arguments.command, json::object());
}

// pause, resume and remove go on after a torrent that failed.
int run_each(Context& context) {
    json::array done;
    json::array failed;
    for (auto const& text : context.arguments.torrents) {
        try {
            done.push_back(change_one(context, text));
        } catch (Failure const& failure) {
            if (failure.exit_status() != kExitFailed) throw;
            context.err << "rqfsctl: " << printable(failure.what()) << '\n';
            json::object entry;
            entry["torrent"] = to_utf8(text);
            entry["message"] = to_utf8(failure.what());
            failed.push_back(std::move(entry));
        }
    }
    int const exit_status = failed.empty() ? kExitDone : kExitFailed;
    if (context.arguments.json) {
        json::object document;
        document["torrents"] = std::move(done);
        document["failed"] = std::move(failed);
        print_document(context, document);
    }
    return exit_status;
}

int run_verify(Context& context) {
    json::object body;
    body["cancel"] = context.arguments.cancel;
    auto const document = context.client.post(torrent_target(context.arguments.torrents.front()) + "/verify", body);
    if (context.arguments.json)
        print_document(context, document);
    else if (!context.arguments.cancel)
        context.out << "Checking the stored data: " << command_on(context, "status") << " shows how far it is.\n";
    return kExitDone;
}

json::array const& list_in(json::value const& document, std::string_view name) {
    auto const* const object = document.if_object();
    auto const* const list = object == nullptr ? nullptr : object->if_contains(name);
    if (list == nullptr || !list->is_array())
        throw Failure("the daemon's answer is malformed: it lacks \"" + std::string(name) + "\"");
    return list->get_array();
}

// Whether this may be who is to be dialled. A name's addresses are the daemon's business: of a name only its port is
// known, and that the peer comes from the user.
bool may_be_meant(Context const& context, torrent::Endpoint const& peer, bool from_user) {
    auto const endpoint = torrent::Endpoint::parse(context.arguments.endpoint);
    if (endpoint) return peer == *endpoint;
    return from_user && peer.port == parse_host_and_port(context.arguments.endpoint).value().port;
}

// Of the connected peers those that may be meant.
std::set<torrent::Endpoint> candidates(Context& context, std::string const& target) {
    auto const document = context.client.get(target + "/peers");
    std::set<torrent::Endpoint> found;
    for (auto const& element : list_in(document, "peers")) {
        auto const peer = peer_from_json(element);
        if (!peer) throw Failure("the daemon's answer is malformed: " + peer.error().what);
        if (may_be_meant(context, peer->endpoint, peer->source == "user")) found.insert(peer->endpoint);
    }
    return found;
}

// Why it is not connected, as far as the daemon knows; empty: it does not.
std::string why_unreached(Context& context, std::string const& target) {
    auto const session = session_from_json(context.client.get("/v1/status"));
    if (!session) throw Failure("the daemon's answer is malformed: " + session.error().what);
    if (!session->obstacle.empty()) return session->obstacle;
    auto const document = context.client.get(target + "/peers");
    std::string why;
    for (auto const& element : list_in(document, "unreached")) {
        auto const peer = unreached_from_json(element);
        if (!peer) throw Failure("the daemon's answer is malformed: " + peer.error().what);
        if (may_be_meant(context, peer->endpoint, true)) why += (why.empty() ? "" : "; ") + peer->message;
    }
    return why;
}

// Who has all of it is left as soon as we have.
bool is_complete(Context& context, std::string const& target) {
    return parse_torrent(context.client.get(target)).status.state == torrent::TorrentState::seeding;
}

// By an address it is known whether the peer is there, by a name only whether one has come that was not there before.
std::string not_among_peers(Context& context, std::string const& target, std::uint32_t seconds) {
    auto const after = " after " + std::to_string(seconds) + " s: ";
    auto const name = printable(context.arguments.endpoint);
    auto const why = why_unreached(context, target);
    bool const by_address = torrent::Endpoint::parse(context.arguments.endpoint).has_value();
    auto const text = by_address ? name + " is not among the peers" : "no new peer is connected by the name " + name;
    if (!why.empty()) return text + after + why;
    if (by_address) return text + after + "it did not answer, or has left again; the log of level debug says more";
    return text + after + "it did not answer, or was connected before; " + command_on(context, "peers") + " shows all";
}

int wait_for_peer(Context& context, std::string const& target, bool was_complete,
                  std::set<torrent::Endpoint> const& before) {
    auto const seconds = dial_seconds(context);
    context.out << "Connecting to " << printable(context.arguments.endpoint)
                << (seconds == 0 ? ": " + command_on(context, "peers") + " shows it." : ".") << std::endl;
    if (seconds == 0) return kExitDone;
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    for (;;) {
        auto const now = candidates(context, target);
        if (!std::includes(before.begin(), before.end(), now.begin(), now.end())) break;
        if (!was_complete && is_complete(context, target)) {
            context.out << "All of the torrent has come meanwhile.\n";
            return kExitDone;
        }
        if (std::chrono::steady_clock::now() >= until) throw Failure(not_among_peers(context, target, seconds));
        std::this_thread::sleep_for(kPoll);
    }
    context.out << "Connected.\n";
    return kExitDone;
}

int run_connect(Context& context) {
    json::object body;
    body["endpoint"] = to_utf8(context.arguments.endpoint);
    auto const target = torrent_target(context.arguments.torrents.front());
    bool const waits = !context.arguments.json && dial_seconds(context) > 0;
    std::set<torrent::Endpoint> before;
    if (waits && !torrent::Endpoint::parse(context.arguments.endpoint)) before = candidates(context, target);
    auto const document = context.client.post(target + "/connect", body);
    if (context.arguments.json) {
        print_document(context, document);
        return kExitDone;
    }
    auto const state = parse_torrent(document).status.state;
    if (state != torrent::TorrentState::paused)
        return wait_for_peer(context, target, state == torrent::TorrentState::seeding, before);
    context.out << "It is dialled after " << command_on(context, "resume") << ": the torrent is paused.\n";
    return kExitDone;
}

std::uint64_t rate(std::string const& text) {
    auto const parsed = parse_rate(text);
    if (!parsed) throw Failure(parsed.error().what, kExitUsage);
    return *parsed;
}

int run_limit(Context& context) {
    json::object body;
    if (context.arguments.up) body["up"] = rate(*context.arguments.up);
    if (context.arguments.down) body["down"] = rate(*context.arguments.down);
    auto const document = body.empty() ? context.client.get("/v1/limits") : context.client.patch("/v1/limits", body);
    if (context.arguments.json) {
        print_document(context, document);
        return kExitDone;
    }
    auto const limit_of = [&](std::string_view name) {
        auto const* const object = document.if_object();
        auto const* const value = object == nullptr ? nullptr : object->if_contains(name);
        boost::system::error_code code;
        auto const number = value == nullptr ? 0 : value->to_number<std::uint64_t>(code);
        if (value == nullptr || code)
            throw Failure("the daemon's answer is malformed: it lacks \"" + std::string(name) + "\"");
        return format_limit(number);
    };
    context.out << "up " << limit_of("up") << ", down " << limit_of("down") << '\n';
    return kExitDone;
}

int run_log(Context& context) {
    auto const& arguments = context.arguments;
    auto const equals = arguments.log_level.find('=');
    json::object body;
    body["logger"] = to_utf8(arguments.log_level.substr(0, equals));
    body["level"] = to_utf8(arguments.log_level.substr(equals + 1));
    if (!arguments.log_torrent.empty()) body["torrent"] = to_utf8(torrent_text(arguments.log_torrent));
    if (!arguments.log_peer.empty()) body["peer"] = to_utf8(arguments.log_peer);
    auto const document = context.client.patch("/v1/log", body);
    if (arguments.json) print_document(context, document);
    return kExitDone;
}

int run_stop(Context& context) {
    // Opened before the request: afterwards the process may be gone and its number another's.
    context.client.get("/v1/status");
    auto const daemon = static_cast<int>(syscall(SYS_pidfd_open, context.client.process_id(), 0));
    auto const document = context.client.post("/v1/stop", json::object());
    if (daemon >= 0) {
        pollfd wait{daemon, POLLIN, 0};
        int ready = 0;
        do ready = poll(&wait, 1, static_cast<int>(kStopTime.count()));
        while (ready < 0 && errno == EINTR);
        close(daemon);
        if (ready == 0) throw Failure("the daemon was told to stop, but has not ended within 10 s");
    }
    if (context.arguments.json) print_document(context, document);
    return kExitDone;
}

}  // namespace

int run_change(Context& context) {
    auto const& arguments = context.arguments;
    if (arguments.command == "download") return run_download(context);
    if (arguments.command == "limit") return run_limit(context);
    if (arguments.command == "log") return run_log(context);
    if (arguments.command == "stop") return run_stop(context);
    if (arguments.command == "verify") return run_verify(context);
    if (arguments.command == "connect") return run_connect(context);
    return run_each(context);
}

}  // namespace rqfs::tools
