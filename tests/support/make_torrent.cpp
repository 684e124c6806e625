#include "tests/support/make_torrent.h"

#include "torrent/hash.h"
#include "torrent/metainfo/bencode.h"

#include <algorithm>
#include <random>
#include <span>

namespace rqfs::tests {

using namespace torrent;

MadeTorrent make_torrent(TorrentOptions const& options) {
    std::uint64_t total = options.files.empty() ? options.bytes : 0;
    for (auto const& [path, bytes] : options.files) total += bytes;
    MadeTorrent made;
    made.data.resize(static_cast<std::size_t>(total));
    std::mt19937 random(options.seed);
    for (auto& b : made.data) b = static_cast<std::byte>(random() & 0xff);
    std::vector<std::byte> hashes;
    for (std::size_t begin = 0; begin < made.data.size(); begin += options.piece_bytes) {
        auto const digest = sha1(std::span(made.data).subspan(begin, std::min<std::size_t>(options.piece_bytes, made.data.size() - begin)));
        hashes.insert(hashes.end(), digest.begin(), digest.end());
    }
    bencode::Writer info;
    info.begin_dictionary();
    if (options.files.empty()) {
        info.key("length").integer(static_cast<std::int64_t>(total));
    } else {
        info.key("files").begin_list();
        for (auto const& [path, bytes] : options.files)
            info.begin_dictionary().key("length").integer(static_cast<std::int64_t>(bytes)).key("path").begin_list().string(path).end().end();
        info.end();
    }
    info.key("name").string(options.name).key("piece length").integer(options.piece_bytes).key("pieces").string(std::span<std::byte const>(hashes));
    if (options.is_private) info.key("private").integer(1);
    info.end();
    auto const raw = info.take();
    bencode::Writer file;
    file.begin_dictionary();
    if (!options.trackers.empty()) {
        file.key("announce-list").begin_list();
        for (auto const& tracker : options.trackers) file.begin_list().string(tracker).end();
        file.end();
    }
    file.key("info").raw(raw).end();
    made.file = file.take();
    made.metainfo = Metainfo::parse_info(raw).value();
    return made;
}

}  // namespace rqfs::tests
