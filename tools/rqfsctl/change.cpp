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

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace rqfs::tools {

namespace json = boost::json;

namespace {

// The daemon promises 3 s.
constexpr std::chrono::milliseconds kStopTime{10'000};

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

int run_download(Context& context) {
    auto const target = torrent_target(context.arguments.torrents.front());
    json::object body;
    if (!context.arguments.files.empty()) {
        auto const reply = torrent_from_json(context.client.get(target));
        if (!reply) throw Failure("the daemon's answer is malformed: " + reply.error().what);
        json::array files;
        for (auto const& file : context.arguments.files) files.emplace_back(to_utf8(inside_torrent(file, reply->path)));
        body["files"] = std::move(files);
    }
    auto const document = context.client.post(target + "/download", body);
    if (context.arguments.json) print_document(context, document);
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

int run_on_torrent(Context& context, json::object const& body) {
    auto const target = torrent_target(context.arguments.torrents.front()) + "/" + context.arguments.command;
    auto const document = context.client.post(target, body);
    if (context.arguments.json) print_document(context, document);
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
    json::object body;
    if (arguments.command == "download") return run_download(context);
    if (arguments.command == "limit") return run_limit(context);
    if (arguments.command == "log") return run_log(context);
    if (arguments.command == "stop") return run_stop(context);
    if (arguments.command == "verify") {
        body["cancel"] = arguments.cancel;
        return run_on_torrent(context, body);
    }
    if (arguments.command == "connect") {
        body["endpoint"] = to_utf8(arguments.endpoint);
        return run_on_torrent(context, body);
    }
    return run_each(context);
}

}  // namespace rqfs::tools
