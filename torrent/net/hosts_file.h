#pragma once

#include "torrent/endpoint.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {

// The addresses that a text as /etc/hosts has them gives a name, in its order; names in any case. Pure.
std::vector<Address> find_in_hosts(std::string_view lower_case_text, std::string_view host);

// The machine's own list of names, read again when it has changed: by the caller, as every program does with this file.
// Lists of blocked names have some 5 MB; they stay as text, which is searched in milliseconds.
class HostsFile {
public:
    explicit HostsFile(std::string path) : path_(std::move(path)) {}

    // Nothing where it does not say; `localhost` it always knows (RFC 6761).
    std::vector<Address> find(std::string_view host);

private:
    void read_if_changed();

    struct Version {
        std::int64_t seconds = 0;
        std::int64_t nanoseconds = 0;
        std::uint64_t inode = 0;
        std::int64_t bytes = -1;
        friend bool operator==(Version const&, Version const&) = default;
    };

    std::string path_;
    Version version_;
    std::string text_;  // in lower case
};

}  // namespace rqfs::torrent
