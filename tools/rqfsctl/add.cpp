#include "tools/control/protocol.h"
#include "tools/control/quantity.h"
#include "tools/control/text.h"
#include "tools/rqfsctl/commands.h"
#include "tools/rqfsctl/failure.h"
#include "tools/rqfsctl/table.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace rqfs::tools {

namespace json = boost::json;

namespace {

constexpr std::chrono::milliseconds kPoll{200};
constexpr std::uintmax_t kTorrentFileBytes = 64u << 20;  // what the daemon takes
constexpr std::size_t kBarWidth = 24;

bool starts_with_ignoring_case(std::string_view text, std::string_view lower_case_prefix) {
    if (text.size() < lower_case_prefix.size()) return false;
    for (std::size_t i = 0; i < lower_case_prefix.size(); ++i)
        if (std::tolower(static_cast<unsigned char>(text[i])) != lower_case_prefix[i]) return false;
    return true;
}

bool is_link(std::string_view source) {
    return starts_with_ignoring_case(source, "magnet:") || starts_with_ignoring_case(source, "http://") ||
           starts_with_ignoring_case(source, "https://");
}

std::string with_lower_case_scheme(std::string link) {
    for (std::size_t i = 0; i < link.size() && link[i] != ':'; ++i)
        link[i] = static_cast<char>(std::tolower(static_cast<unsigned char>(link[i])));
    return link;
}

// An info-hash that has lost digits, or got some, or its like.
bool looks_like_info_hash(std::string const& text) {
    constexpr std::size_t kShortest = 28;
    constexpr std::size_t kLongest = 48;
    bool const letters = std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
    return letters && text.size() >= kShortest && text.size() <= kLongest;
}

std::string read_torrent_file(std::string const& path) {
    struct stat found {};
    auto const quoted = "\"" + printable(path) + "\"";
    bool const missing = stat(path.c_str(), &found) != 0;
    if (missing && looks_like_info_hash(path))
        throw Failure(quoted + " is no file, and no info-hash: " + torrent::InfoHash::parse(path).error().what);
    if (missing)
        throw Failure(quoted +
                      " is no magnet link, no URL, and cannot be read as a torrent file: " + std::strerror(errno));
    if (S_ISDIR(found.st_mode)) throw Failure(quoted + " is a directory, not a torrent file");
    if (found.st_size < 0 || static_cast<std::uintmax_t>(found.st_size) > kTorrentFileBytes)
        throw Failure(quoted + " is over 64 MiB, too large for a torrent file");
    std::ifstream file(path, std::ios::binary);
    std::string bytes;
    std::string part(std::size_t{64} << 10, '\0');
    // A pipe has no size: the limit holds while reading, too.
    while (bytes.size() <= kTorrentFileBytes) {
        file.read(part.data(), static_cast<std::streamsize>(part.size()));
        bytes.append(part, 0, static_cast<std::size_t>(file.gcount()));
        if (!file) break;
    }
    if (bytes.size() > kTorrentFileBytes) throw Failure(quoted + " is over 64 MiB, too large for a torrent file");
    if (file.bad() || (!file.eof() && !file)) throw Failure(quoted + " cannot be read: " + std::strerror(errno));
    if (bytes.empty()) throw Failure(quoted + " is empty, not a torrent file");
    return bytes;
}

json::value send(Context& context, std::string const& source) {
    auto const& arguments = context.arguments;
    if (!is_link(source)) {
        auto const hash = torrent::InfoHash::parse(source);
        struct stat found {};
        if (!hash || stat(source.c_str(), &found) == 0) {
            auto const flag = [](bool on) { return std::string(on ? "true" : "false"); };
            auto const query = "?paused=" + flag(arguments.paused) + "&download=" + flag(arguments.download);
            return context.client.upload("/v1/torrents" + query, std::string(kTorrentFileType),
                                         read_torrent_file(source));
        }
    }
    json::object body;
    body["source"] = is_link(source) ? with_lower_case_scheme(to_utf8(source)) : "magnet:?xt=urn:btih:" + source;
    body["paused"] = arguments.paused;
    body["download"] = arguments.download;
    return context.client.post("/v1/torrents", body);
}

AddReply parse_added(json::value const& document) {
    auto reply = added_from_json(document);
    if (!reply) throw Failure("the daemon's answer is malformed: " + reply.error().what);
    return std::move(*reply);
}

TorrentReply fetch(Context& context, torrent::InfoHash const& info_hash) {
    auto reply = torrent_from_json(context.client.get("/v1/torrents/" + info_hash.hex()));
    if (!reply) throw Failure("the daemon's answer is malformed: " + reply.error().what);
    return std::move(*reply);
}

// What is wanted, or everything when nothing is. Only empty files wanted is there at once.
bool all_there(torrent::TorrentStatus const& status) {
    if (status.download) return status.wanted_have_bytes >= status.wanted_bytes;
    return status.have_pieces == status.pieces;
}

// Whether what --wait waits for is there. Throws when it will not come.
bool arrived(torrent::TorrentStatus const& status, bool download) {
    bool const metadata = status.pieces > 0;
    bool const done = metadata && (!download || all_there(status));
    if (done) return true;
    auto const name = "\"" + printable(status.name) + "\"";
    if (status.state == torrent::TorrentState::error) throw Failure(name + " failed: " + printable(status.reason));
    if (status.state == torrent::TorrentState::paused)
        throw Failure(name + " is paused: nothing arrives until it is resumed");
    if (metadata && !status.download)
        throw Failure("nothing of " + name + " is wanted: it has none of the files named");
    return false;
}

class Progress {
public:
    explicit Progress(Context& context)
        : context_(context), shown_(context.err_is_terminal && !context.arguments.json) {}
    Progress(Progress const&) = delete;
    Progress& operator=(Progress const&) = delete;
    ~Progress() {
        if (shown_) context_.err << "\r\x1b[K" << std::flush;
    }

    void show(torrent::TorrentStatus const& s) {
        if (!shown_) return;
        context_.err << "\r\x1b[K" << line(s) << std::flush;
    }

private:
    static std::string line(torrent::TorrentStatus const& s) {
        auto const name = printable(s.name);
        if (s.pieces == 0) return name + ": waiting for the metadata, " + printable(s.reason);
        double const share = s.wanted_bytes == 0
                                 ? s.progress
                                 : static_cast<double>(s.wanted_have_bytes) / static_cast<double>(s.wanted_bytes);
        return progress_bar(share, kBarWidth) + " " + format_percent(share) + "  " + format_rate(s.down_rate) + "  " +
               counted(s.peers_connected, "peer", "peers") + "  " + name;
    }

    Context& context_;
    bool shown_;
};

// Gives the path at the end: the directory takes the torrent's name when the metadata arrives.
std::string wait_for(Context& context, torrent::InfoHash const& info_hash) {
    Progress progress(context);
    while (true) {
        auto const now = fetch(context, info_hash);
        progress.show(now.status);
        if (arrived(now.status, context.arguments.download)) return now.path;
        std::this_thread::sleep_for(kPoll);
    }
}

// What became of the sources.
class Outcome {
public:
    explicit Outcome(Context& context) : context_(context) {}

    void add(AddReply const& reply) {
        added_.push_back(to_json(reply));
        if (context_.arguments.json) return;
        context_.out << reply.info_hash.hex() << (reply.path.empty() ? "" : " ") << for_output(context_, reply.path)
                     << std::endl;
    }

    // A source that fails does not keep the next one from being added; that no daemon is there does.
    void fail(std::string const& source, Failure const& failure) {
        if (failure.exit_status() != kExitFailed) throw failure;
        json::object entry;
        entry["source"] = to_utf8(source);
        entry["message"] = to_utf8(failure.what());
        failed_.push_back(std::move(entry));
        context_.err << "rqfsctl: " << printable(failure.what()) << '\n';
    }

    int finish() {
        int const exit_status = failed_.empty() ? kExitDone : kExitFailed;
        if (!context_.arguments.json) return exit_status;
        json::object document;
        document["added"] = std::move(added_);
        document["failed"] = std::move(failed_);
        print_document(context_, document);
        return exit_status;
    }

private:
    Context& context_;
    json::array added_;
    json::array failed_;
};

}  // namespace

int run_add(Context& context) {
    Outcome outcome(context);
    std::vector<std::pair<std::string, AddReply>> waiting;
    for (auto const& source : context.arguments.sources) {
        try {
            auto const reply = parse_added(send(context, source));
            if (context.arguments.wait)
                waiting.emplace_back(source, reply);
            else
                outcome.add(reply);
        } catch (Failure const& failure) {
            outcome.fail(source, failure);
        }
    }
    for (auto& [source, reply] : waiting) {
        try {
            reply.path = wait_for(context, reply.info_hash);
            outcome.add(reply);
        } catch (Failure const& failure) {
            outcome.fail(source, failure);
        }
    }
    return outcome.finish();
}

}  // namespace rqfs::tools
