#pragma once

#include "torrent/error.h"
#include "torrent/info_hash.h"
#include "torrent/units.h"

#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {

// A magnet link (BEP 9, 53): xt as 40 hexadecimal or 32 base32 digits, dn, tr, ws, x.pe, so. Untrusted strings, unescaped.
struct Magnet {
    InfoHash info_hash;
    std::string display_name;
    std::vector<std::string> trackers;   // each its own tier; duplicates dropped
    std::vector<std::string> web_seeds;
    std::vector<std::string> peers;      // x.pe as written: HOST:PORT, [v6]:PORT
    std::vector<FileIndex> selected;     // so=, ascending, no duplicates

    static Result<Magnet> parse(std::string_view uri);
    std::string uri() const;             // parse(uri()) gives the same
};

}  // namespace rqfs::torrent
