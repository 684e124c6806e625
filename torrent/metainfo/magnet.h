#pragma once

#include "torrent/error.h"
#include "torrent/info_hash.h"
#include "torrent/units.h"

#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {

// A magnet link (BEP 9, 53): xt as 40 hexadecimal or 32 base32 digits, dn, tr, ws, x.pe, so. Untrusted strings,
// unescaped. Of trackers, web seeds and peers as many are kept as limits.h allows, each once; parameters that we do
// not know are ignored.
struct Magnet {
    InfoHash info_hash;
    std::string display_name;
    std::vector<std::string> trackers;  // each its own tier; duplicates dropped
    std::vector<std::string> web_seeds;
    std::vector<std::string> peers;   // x.pe as written: HOST:PORT, [v6]:PORT
    std::vector<FileIndex> selected;  // so=, ascending, no duplicates

    // At most limit::kMagnetBytes; the errors are sentences for the person who gave the link.
    static Result<Magnet> parse(std::string_view uri);
    // parse(uri()) gives the same, unless escaping made it longer than a link may be.
    std::string uri() const;
};

}  // namespace rqfs::torrent
