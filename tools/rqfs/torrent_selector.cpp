#include "tools/rqfs/torrent_selector.h"

#include "tools/control/text.h"
#include "torrent/units.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace rqfs::tools {

namespace {

using torrent::Errc;
using torrent::FileIndex;
using torrent::FileStatus;
using torrent::InfoHash;
using torrent::TorrentStatus;

constexpr std::size_t kCandidates = 10;  // as many as help

using Matches = std::vector<TorrentStatus const*>;

template <class Predicate>
Matches matching(std::vector<TorrentStatus> const& torrents, Predicate predicate) {
    Matches matches;
    for (auto const& status : torrents)
        if (predicate(status)) matches.push_back(&status);
    return matches;
}

ErrorReply ambiguous(std::string_view text, Matches const& matches) {
    ErrorReply reply{409, "ambiguous", {}, {}};
    std::string list;
    for (auto const* status : matches) {
        if (reply.candidates.size() == kCandidates) break;
        reply.candidates.push_back(status->info_hash.hex());
        list += (list.empty() ? "" : ", ") + status->info_hash.short_hex() + " " + printable(status->name);
    }
    if (matches.size() > kCandidates) list += ", ...";
    reply.message = "\"" + printable(text) + "\" fits " + std::to_string(matches.size()) + " torrents: " + list;
    return reply;
}

bool is_hexadecimal(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

std::string lower_case(std::string_view text) {
    std::string out;
    for (char const c : text) out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    return out;
}

std::string_view last_element(std::string_view path) {
    auto const slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

template <class Predicate>
std::vector<FileIndex> files_where(std::vector<FileStatus> const& files, Predicate predicate) {
    std::vector<FileIndex> found;
    for (auto const& file : files)
        if (!file.pad && predicate(file)) found.push_back(file.index);
    return found;
}

}  // namespace

std::variant<InfoHash, ErrorReply> select_torrent(std::string_view text, std::vector<TorrentStatus> const& torrents) {
    auto const whole = InfoHash::parse(text);
    auto matches = matching(torrents, [&](auto const& s) { return whole && s.info_hash == *whole; });
    if (matches.empty())
        matches = matching(torrents, [&](auto const& s) { return s.name == text || s.directory == text; });
    if (matches.empty() && is_hexadecimal(text)) {
        auto const digits = lower_case(text);
        matches = matching(torrents, [&](auto const& s) { return s.info_hash.hex().starts_with(digits); });
    }
    if (matches.size() == 1) return matches.front()->info_hash;
    if (!matches.empty()) return ambiguous(text, matches);
    return error_reply(Errc::not_found,
                       "no torrent is called \"" + printable(text) + "\", and no info-hash begins with it");
}

std::variant<std::vector<FileIndex>, ErrorReply> select_files(std::string_view text,
                                                              std::vector<FileStatus> const& files) {
    while (text.size() > 1 && text.ends_with('/')) text.remove_suffix(1);
    auto found = files_where(files, [&](auto const& file) { return file.path == text; });
    if (!found.empty()) return found;
    auto const directory = std::string(text) + "/";
    found = files_where(files, [&](auto const& file) { return file.path.starts_with(directory); });
    if (!found.empty()) return found;
    found = files_where(files, [&](auto const& file) { return last_element(file.path) == text; });
    if (found.size() == 1) return found;
    if (found.size() > 1)
        return ErrorReply{
            409, "ambiguous", std::to_string(found.size()) + " files are called \"" + printable(text) + "\"", {}};
    std::uint32_t number = 0;
    auto const [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code == std::errc() && end == text.data() + text.size())
        found = files_where(files, [&](auto const& file) { return file.index == FileIndex(number); });
    if (!found.empty()) return found;
    return error_reply(Errc::not_found, "the torrent holds no file \"" + printable(text) + "\"");
}

}  // namespace rqfs::tools
