#include "tools/rqfsctl/command_line.h"

#include "tools/control/host_and_port.h"
#include "tools/control/log_level.h"
#include "tools/control/text.h"
#include "tools/rqfsctl/failure.h"
#include "tools/rqfsctl/help_formatter.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>

#ifndef RQFS_VERSION
#define RQFS_VERSION "unknown"
#endif

namespace rqfs::tools {

namespace {

constexpr char const* kTorrent = "T";
constexpr char const* kTorrentHelp = "First digits of the info-hash, a unique name, or a path inside the mount";

CLI::App* command(CLI::App& app, char const* name, char const* description) {
    auto* const made = app.add_subcommand(name, description);
    made->fallthrough();
    made->group("Commands");
    return made;
}

CLI::App* torrent_command(CLI::App& app, Arguments& to, char const* name, char const* description) {
    auto* const made = command(app, name, description);
    auto take = [&to](std::string const& text) { to.torrents = {text}; };
    made->add_option_function<std::string>(kTorrent, take, kTorrentHelp)->required();
    return made;
}

CLI::App* torrents_command(CLI::App& app, Arguments& to, char const* name, char const* description) {
    auto* const made = command(app, name, description);
    made->add_option(kTorrent, to.torrents, kTorrentHelp)->required()->expected(1, -1);
    return made;
}

// Says what is wrong with a text that is no number, or too large for one.
CLI::Validator whole_number(char const* what) {
    auto const check = [what](std::string const& text) {
        std::uint32_t number = 0;
        auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
        bool const is_number = failure == std::errc() && end == text.data() + text.size();
        return is_number ? std::string() : std::string(what) + " was expected, not '" + printable(text) + "'";
    };
    return CLI::Validator(check, "");
}

void add_trackers_command(CLI::App& app, Arguments& to) {
    auto* const trackers = torrent_command(app, to, "trackers", "List the trackers of a torrent, or change the list");
    auto* const add = trackers->add_option("--add", to.add_trackers, "Add a tracker; may be repeated");
    add->type_name("URL")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    auto* const tier = trackers->add_option("--tier", to.tier, "Add it to this tier, not to one behind all others");
    tier->type_name("N")->needs(add)->check(whole_number("the number of a tier, as the list shows it,"));
    auto* const remove = trackers->add_option("--remove", to.remove_trackers, "Remove a tracker; may be repeated");
    remove->type_name("URL")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    auto* const replace = trackers->add_option("--replace", to.replace_trackers, "Have these trackers and no others");
    replace->type_name("URL")->expected(1, -1);
}

void add_showing_commands(CLI::App& app, Arguments& to) {
    auto* const add =
        command(app, "add", "Add torrents: magnet links, torrent files, or http(s) URLs of torrent files");
    add->add_option("SOURCE", to.sources, "Magnet link, torrent file or URL")->required()->expected(1, -1);
    add->add_flag("--paused", to.paused, "Add, but connect to nobody until resumed");
    add->add_flag("--download", to.download, "Fetch it whole, not only what is read");
    add->add_flag("--wait", to.wait, "Wait for the metadata; with --download until all is there");
    command(app, "list", "List all torrents");
    auto* const status = command(app, "status", "Show the session, or why a torrent is where it is");
    auto take = [&to](std::string const& text) { to.torrents = {text}; };
    status->add_option_function<std::string>(kTorrent, take, kTorrentHelp);
    command(app, "stats", "Show how long readers waited and what of the data received was waste");
    command(app, "dht", "Show our nodes in the DHT");
    torrent_command(app, to, "files", "List the files of a torrent");
    torrent_command(app, to, "peers", "List the peers a torrent is connected to");
    add_trackers_command(app, to);
    torrent_command(app, to, "path", "Print where a torrent is in the mount");
    torrent_command(app, to, "magnet", "Print the magnet link of a torrent");
    auto* const why = command(app, "why", "Tell what the readers of a file wait for");
    why->add_option("PATH", to.path, "A file inside the mount")->required();
}

void add_timeout(CLI::App& command, Arguments& to, char const* help) {
    command.add_option("--timeout", to.timeout, help)
        ->type_name("SECONDS")
        ->check(whole_number("a whole number of seconds"));
}

void add_changing_commands(CLI::App& app, Arguments& to) {
    auto* const download =
        torrent_command(app, to, "download", "Fetch files in the background, all when none is named");
    download->add_option("FILE", to.files, "Path or number as `files` shows it, or a path inside the mount");
    torrents_command(app, to, "pause", "Disconnect torrents from their peers");
    torrents_command(app, to, "resume", "Let torrents go on; retry after an error");
    auto* const remove = torrents_command(app, to, "remove", "Remove torrents and their data");
    remove->add_flag("--keep-data", to.keep_data, "Keep the data for when the torrent is added again");
    auto* const verify = torrent_command(app, to, "verify", "Check the stored data in the background");
    verify->add_flag("--cancel", to.cancel, "End the check that is under way");
    auto* const connect = torrent_command(app, to, "connect", "Connect to a peer");
    connect->add_option("HOST:PORT", to.endpoint, "Where the peer listens")->required();
    add_timeout(*connect, to, "Wait no longer for the connection; default 10, 0 waits for nothing");
    auto* const announce = torrent_command(app, to, "announce", "Announce to the trackers now, and search the DHT");
    announce->add_option("URL", to.tracker, "Only to this tracker");
    add_timeout(*announce, to, "Wait no longer for the trackers; default 15, 0 waits for nothing");
    auto* const limit = command(app, "limit", "Show or set the limits of the transfer rates");
    limit->add_option("--up", to.up, "Upload limit in bytes a second like 500K or 2M; 0 or unlimited")
        ->type_name("RATE");
    limit->add_option("--down", to.down, "Download limit")->type_name("RATE");
    auto* const log = command(app, "log", "Set the level of a logger");
    auto* const torrent = log->add_option("--torrent", to.log_torrent, "Only of this torrent")->type_name("T");
    log->add_option("--peer", to.log_peer, "Only of this peer; not with --torrent")
        ->type_name("ADDR:PORT")
        ->excludes(torrent);
    log->add_option("LOGGER=LEVEL", to.log_level,
                    "torrent, cache, fs, rqfs or all = trace, debug, info, warn, error or off")
        ->required();
    command(app, "stop", "End the daemon and wait until it has ended");
}

std::unique_ptr<CLI::App> make_app(Arguments& to) {
    auto app = std::make_unique<CLI::App>("Controls the torrent filesystem rqfs.", "rqfsctl");
    app->formatter(std::make_shared<HelpFormatter>());
    app->set_version_flag("--version", "rqfsctl " RQFS_VERSION);
    app->add_option("--socket", to.socket, "Control socket of the daemon")->type_name("PATH");
    app->add_flag("--json", to.json, "Print one JSON document");
    app->require_subcommand(1);
    add_showing_commands(*app, to);
    add_changing_commands(*app, to);
    return app;
}

std::string one_line(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

[[noreturn]] void fail_expecting(std::string const& what, std::string const& text) {
    throw CLI::ValidationError(what + " was expected, not '" + printable(text) + "'", CLI::ExitCodes::ValidationError);
}

void check_log(Arguments const& arguments) {
    auto const& text = arguments.log_level;
    auto const equals = text.find('=');
    if (equals == std::string::npos || equals == 0) fail_expecting("LOGGER=LEVEL like torrent=debug", text);
    auto const level = text.substr(equals + 1);
    // Nothing after '=' takes the level of a torrent or a peer back.
    bool const taken_back = level.empty() && !(arguments.log_torrent.empty() && arguments.log_peer.empty());
    if (!taken_back && !is_level(level)) fail_expecting("the level " + std::string(kLevels), level);
}

void check(Arguments const& arguments) {
    if (arguments.command == "log") check_log(arguments);
    if (arguments.command == "connect" && !parse_host_and_port(arguments.endpoint))
        fail_expecting("HOST:PORT", arguments.endpoint);
}

std::string why_no_command(CLI::App const& app) {
    auto const rest = app.remaining();
    if (rest.empty()) return "a command is required";
    auto const kind = rest.front().starts_with('-') ? "option" : "command";
    return std::string("there is no ") + kind + " '" + printable(rest.front()) + "'";
}

ParsedArguments usage_failure(std::string const& sentence) {
    return {std::nullopt, "rqfsctl: " + one_line(sentence) + "; rqfsctl --help tells more\n", kExitUsage};
}

void collect_options(CLI::App const& app, std::string const& prefix, std::vector<std::string>& into) {
    for (auto const* const option : app.get_options())
        for (auto const& name : option->get_lnames()) into.push_back(prefix + "--" + name);
}

}  // namespace

ParsedArguments parse_arguments(std::vector<std::string> arguments) {
    Arguments parsed;
    auto const app = make_app(parsed);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    try {
        app->parse(std::move(arguments));
        parsed.command = app->get_subcommands().front()->get_name();
        check(parsed);
        return {std::move(parsed), {}, kExitDone};
    } catch (CLI::CallForHelp const&) {
        return {std::nullopt, app->help(), kExitDone};
    } catch (CLI::CallForVersion const& version) {
        return {std::nullopt, std::string(version.what()) + "\n", kExitDone};
    } catch (CLI::RequiredError const& failure) {
        return usage_failure(app->get_subcommands().empty() ? why_no_command(*app) : failure.what());
    } catch (CLI::ParseError const& failure) {
        return usage_failure(failure.what());
    }
}

std::vector<std::string> known_commands_and_options() {
    Arguments unused;
    auto const app = make_app(unused);
    std::vector<std::string> known;
    collect_options(*app, {}, known);
    for (auto const* const sub : app->get_subcommands({})) {
        known.push_back(sub->get_name());
        collect_options(*sub, sub->get_name() + " ", known);
    }
    return known;
}

}  // namespace rqfs::tools
