#pragma once

#include "torrent/endpoint.h"

namespace rqfs::torrent {

class Download;
class MetadataFetch;

// What Connections asks and tells whom it belongs to; Torrent is it.
struct ConnectionsOwner {
    virtual ~ConnectionsOwner() = default;
    virtual Download* download() = 0;             // null while the metadata is missing
    virtual MetadataFetch* metadata_fetch() = 0;  // null once it is there
    virtual bool active() const = 0;              // somebody reads, downloads or waits for metadata: dial many
    virtual bool hurried() const = 0;             // somebody waits this moment
    virtual bool is_private() const = 0;
    virtual void peers_ran_out() = 0;                                          // too few addresses: ask the trackers
    virtual void peer_says_we_are(Address address, Endpoint const& peer) = 0;  // `yourip` of BEP 10
};

}  // namespace rqfs::torrent
