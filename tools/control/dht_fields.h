#pragma once

#include "tools/control/protocol.h"
#include "tools/control/protocol_fields.h"
#include "torrent/status.h"

namespace rqfs::tools {

// The members of a node of ours in the DHT, as protocol_fields.h names those of the rest.

template <class Visit, Either<torrent::DhtStatus> Node>
void fields(Visit& visit, Node& node) {
    visit("v6", node.v6);
    visit("id", node.id);
    visit("external", node.external);
    visit("read_only", node.read_only);
    visit("connected", node.connected);
    visit("good", node.good);
    visit("questionable", node.questionable);
    visit("bad", node.bad);
    visit("replacements", node.replacements);
    visit("buckets", node.buckets);
    visit("lookups", node.lookups);
    visit("searches", node.searches);
    visit("queries_in_flight", node.queries_in_flight);
    visit("stored_torrents", node.stored_torrents);
    visit("stored_peers", node.stored_peers);
    visit("received_bytes", node.received_bytes);
    visit("sent_bytes", node.sent_bytes);
}

}  // namespace rqfs::tools
