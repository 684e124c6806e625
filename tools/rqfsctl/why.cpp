#include "tools/control/protocol.h"
#include "tools/control/text.h"
#include "tools/rqfsctl/commands.h"
#include "tools/rqfsctl/failure.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <sstream>
#include <string>

namespace rqfs::tools {

namespace {

// What the mount says of the path; empty when it says nothing.
std::string told_by_mount(std::string const& path, char const* name) {
    std::array<char, 64> value{};
    auto const size = getxattr(path.c_str(), name, value.data(), value.size());
    return size > 0 ? std::string(value.data(), static_cast<std::size_t>(size)) : std::string();
}

// "/v1/torrents/T/why?file=N" of a file inside the mount.
std::string why_target(Context& context, std::string const& path) {
    auto const quoted = "\"" + printable(path) + "\"";
    struct stat found {};
    if (path.empty()) throw Failure("an empty text names no file", kExitUsage);
    if (stat(path.c_str(), &found) != 0) throw Failure(quoted + ": " + std::strerror(errno));
    auto const info_hash = told_by_mount(path, "user.rqfs.infohash");
    auto const target = "/v1/torrents/" + info_hash;
    auto const file = told_by_mount(path, "user.rqfs.file");
    if (!file.empty() && !info_hash.empty()) return target + "/why?file=" + file;
    if (info_hash.empty()) throw Failure(quoted + " is not a file of a torrent in the mount");
    if (!S_ISDIR(found.st_mode)) throw Failure(quoted + " is no file of the torrent: nothing is fetched for it");
    auto const reply = torrent_from_json(context.client.get(target));
    if (reply && reply->status.state == torrent::TorrentState::metadata)
        throw Failure(quoted + " has no files yet, the metadata is missing: " + printable(reply->status.reason));
    throw Failure(quoted + " is a directory: name one of the files inside");
}

}  // namespace

int run_why(Context& context) {
    auto const document = context.client.get(why_target(context, context.arguments.path));
    if (context.arguments.json) {
        print_document(context, document);
        return kExitDone;
    }
    auto const reply = why_from_json(document);
    if (!reply) throw Failure("the daemon's answer is malformed: " + reply.error().what);
    std::istringstream lines(reply->text);
    for (std::string line; std::getline(lines, line);) context.out << for_output(context, line) << '\n';
    return kExitDone;
}

}  // namespace rqfs::tools
