#include "fs/directory_name.h"

#include "fs/file_names.h"
#include "torrent/metainfo/metainfo.h"

namespace rqfs::fs {

std::vector<std::string> directory_name_candidates(torrent::Library::Entry const& entry) {
    std::vector<std::string> names;
    if (is_usable_name(entry.directory)) names.push_back(entry.directory);
    std::string const& raw = entry.metainfo ? entry.metainfo->name() : entry.display_name;
    std::string const hash = entry.info_hash.hex();
    std::string const wanted = raw.empty() ? hash : safe_name(raw);
    names.push_back(wanted);
    names.push_back(with_suffix(wanted, " [" + entry.info_hash.short_hex() + "]", false));
    names.push_back(with_suffix(wanted, " [" + hash + "]", false));
    return names;
}

std::optional<torrent::InfoHash> hash_alias(std::string_view name) {
    if (name.size() != 2 * torrent::InfoHash::kBytes) return std::nullopt;
    auto const hash = torrent::InfoHash::parse(name);
    if (!hash) return std::nullopt;
    return *hash;
}

}  // namespace rqfs::fs
