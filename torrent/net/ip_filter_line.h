#pragma once

#include "torrent/endpoint.h"

#include <string_view>

namespace rqfs::torrent {

// One line of a list of addresses to keep away from, whatever the kind of list. Pure.
//
//   P2P (PeerGuardian's text): NAME:1.2.3.4-1.2.3.9, where the name may hold anything, colons too; IPv4 alone
//   DAT (eMule's):             001.002.003.004 - 001.002.003.009 , 100 , NAME; levels from 128 up allow
//   plain text:                1.2.3.4, 1.2.3.0/24, 1.2.3.4 - 1.2.3.9 and the same of IPv6; a comment may follow
//
// Zeros in front do not make a number octal. Comments begin with '#', ';' or '//'.
struct IpFilterLine {
    enum class Kind { blank, allows, blocks, bad };

    Kind kind = Kind::bad;
    Address first{};  // of what it blocks; both of one family
    Address last{};

    static IpFilterLine parse(std::string_view line);
};

}  // namespace rqfs::torrent
