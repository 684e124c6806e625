#include "torrent/metainfo/info_files.h"

#include "torrent/metainfo/fields.h"
#include "torrent/settings.h"

#include <string>
#include <string_view>
#include <utility>

namespace rqfs::torrent {

namespace {

using bencode::Value;

// Size, attributes and symlink target: what a single file and an element of a list have in common.
Result<TorrentFile> parse_facts(Fields const& fields) {
    TorrentFile file;
    auto const attributes = fields.text("attr");
    if (!attributes) return attributes.error();
    auto const has = [&](char letter) { return attributes->find(letter) != std::string_view::npos; };
    file.pad = has('p');
    file.executable = has('x');
    file.hidden = has('h');
    // A symlink holds no bytes of the torrent, so nothing can be right but 0.
    auto const most = has('l') ? 0 : static_cast<std::int64_t>(limit::kTotalBytes);
    auto const length = fields.integer("length", 0, most);
    if (!length) return length.error();
    file.bytes = static_cast<std::uint64_t>(*length);
    if (has('l')) {
        auto target = fields.path("symlink path");
        if (!target) return target.error();
        file.symlink = *std::move(target);
    }
    return file;
}

Result<std::vector<std::string>> parse_path(Fields const& fields, TorrentFile const& file) {
    auto path = fields.path("path.utf-8");
    if (path && path->empty()) path = fields.path("path");
    if (!path || !path->empty()) return path;
    // Nobody sees pad files, and some writers give them no name.
    if (file.pad) return std::vector<std::string>{".pad", std::to_string(file.bytes)};
    return error(Errc::malformed, fields.name_of("path") + " must be a list of at least one string");
}

Result<InfoFiles> parse_single(Fields const& info) {
    auto const name = info.name("name");
    if (!name) return name.error();
    auto file = parse_facts(info);
    if (!file) return file.error();
    file->path.emplace_back(*name);
    InfoFiles all;
    all.total_bytes = file->bytes;
    all.single = true;
    all.files.push_back(*std::move(file));
    return all;
}

Result<TorrentFile> parse_element(Value element, std::size_t number) {
    Fields const fields(element, "info.files", number);
    if (element.type() != Value::Type::dictionary)
        return error(Errc::malformed,
                     fields.name_of({}) + " must be a dictionary, not " + std::string(describe(element.type())));
    if (auto failure = fields.check_unique()) return *std::move(failure);
    auto file = parse_facts(fields);
    if (!file) return file;
    auto path = parse_path(fields, *file);
    if (!path) return path.error();
    file->path = *std::move(path);
    return file;
}

Result<InfoFiles> parse_list(Value list) {
    if (list.size() == 0) return error(Errc::malformed, "info.files is empty; a torrent has at least one file");
    if (list.size() > limit::kFiles)
        return error(Errc::too_large, "info.files has " + std::to_string(list.size()) + " files; at most " +
                                          std::to_string(limit::kFiles) + " are allowed");
    InfoFiles all;
    all.files.reserve(list.size());
    for (auto const& element : list.elements()) {
        auto file = parse_element(element, all.files.size());
        if (!file) return file.error();
        // Each is at most kTotalBytes, so the sum cannot overflow before it is looked at.
        all.total_bytes += file->bytes;
        if (all.total_bytes > limit::kTotalBytes)
            return error(Errc::too_large, "the files of info.files have more than " +
                                              std::to_string(limit::kTotalBytes) + " bytes together");
        all.files.push_back(*std::move(file));
    }
    return all;
}

}  // namespace

Result<InfoFiles> parse_info_files(Value info) {
    Fields const fields(info, "info");
    auto const list = fields.find("files", Value::Type::list);
    if (!list) return list.error();
    bool const has_length = info.find("length").has_value();
    if (*list && has_length)
        return error(Errc::malformed, "info has both files and length; readers would disagree about what is in it");
    if (!*list && !has_length) return error(Errc::malformed, "info has neither files nor length");
    auto all = *list ? parse_list(**list) : parse_single(fields);
    if (all && all->total_bytes == 0)
        return error(Errc::unsupported, "the torrent has no content: all its files are empty");
    return all;
}

}  // namespace rqfs::torrent
