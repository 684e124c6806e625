#include "tools/rqfsctl/context.h"

#include "tools/control/json_text.h"
#include "tools/control/request_target.h"
#include "tools/control/text.h"
#include "tools/rqfsctl/failure.h"
#include "tools/rqfsctl/shell_word.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <array>
#include <cstddef>

namespace rqfs::tools {

std::string torrent_text(std::string const& text) {
    if (text.empty()) throw Failure("an empty text names no torrent", kExitUsage);
    std::array<char, 64> value{};
    auto const size = getxattr(text.c_str(), "user.rqfs.infohash", value.data(), value.size());
    if (size > 0) return std::string(value.data(), static_cast<std::size_t>(size));
    struct stat found {};
    if (text.find('/') != std::string::npos && stat(text.c_str(), &found) == 0)
        throw Failure("\"" + printable(text) + "\" is not inside the directory of a torrent");
    return text;
}

std::string torrent_target(std::string const& text) { return "/v1/torrents/" + percent_encode(torrent_text(text)); }

std::string command_on(Context const& context, std::string const& command) {
    auto const& torrent = context.arguments.torrents.front();
    // What a terminal would obey can be shown, but then it is another text.
    auto const shown = printable(torrent) == torrent ? shell_word(torrent) : "T";
    return "`rqfsctl " + command + (torrent.starts_with('-') ? " -- " : " ") + shown + "`";
}

void print_document(Context& context, boost::json::value const& document) {
    context.out << json_text(document) << '\n';
}

std::string for_output(Context const& context, std::string const& text) {
    return context.out_is_terminal ? printable(text) : text;
}

}  // namespace rqfs::tools
