#pragma once

#include "torrent/endpoint.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {

// The addresses that a text as /etc/hosts has them gives a name, in its order; names in any case. Pure.
std::vector<Address> find_in_hosts(std::string_view lower_case_text, std::string_view host);

// The machine's own list of names as it was when it was read. Immutable: what is found in it is found on a worker.
// Lists of blocked names have some 5 MB; they stay as text, which is searched in milliseconds.
class HostsFile {
public:
    using Shared = std::shared_ptr<HostsFile const>;
    struct Found {
        std::vector<Address> addresses;  // none where it does not say; `localhost` is always known (RFC 6761)
        Shared file;                     // as it is now: for the next time
    };

    // Reads it again if it is no longer what `known` (may be null) has. Blocks.
    static Found find(std::string path, Shared known, std::string host);

private:
    struct Version {
        std::int64_t seconds = 0;
        std::int64_t nanoseconds = 0;
        std::uint64_t inode = 0;
        std::int64_t bytes = -1;
        friend bool operator==(Version const&, Version const&) = default;
    };

    static Version version_of(std::string const& path);
    static Shared read(std::string const& path, Version const& version);

    Version version_;
    std::string text_;  // in lower case
};

}  // namespace rqfs::torrent
