#pragma once

#include "tools/control/protocol.h"
#include "tools/control/protocol_fields.h"
#include "torrent/status.h"

namespace rqfs::tools {

// The members of the daemon's status, as protocol_fields.h names those of the rest.

template <class Visit, Either<torrent::IpFilterStatus> Filter>
void fields(Visit& visit, Filter& filter) {
    visit("files", filter.files);
    visit("ranges", filter.ranges);
    visit("bad_lines", filter.bad_lines);
    visit("refused_connections", filter.refused_connections);
    visit("trouble", filter.trouble);
}

template <class Visit, Either<torrent::PortMappingStatus> Mapping>
void fields(Visit& visit, Mapping& mapping) {
    visit("state", mapping.state);
    visit("method", mapping.method);
    visit("external", mapping.external);
    visit("external_port", mapping.external_port);
    visit("renewed_seconds", mapping.renewed);
    visit("expires_seconds", mapping.expires);
    visit("message", mapping.message);
}

template <class Visit, Either<torrent::InterfaceStatus> Interface>
void fields(Visit& visit, Interface& interface) {
    visit("setting", interface.setting);
    visit("device", interface.device);
    visit("addresses", interface.addresses);
    visit("losses", interface.losses);
    visit("changed_seconds", interface.changed);
    visit("trouble", interface.trouble);
}

template <class Visit, Either<ConfigTrouble> Trouble>
void fields(Visit& visit, Trouble& trouble) {
    visit("message", trouble.message);
    visit("since_seconds", trouble.since);
}

template <class Visit, Either<SessionReply> Reply>
void fields(Visit& visit, Reply& reply) {
    auto& s = reply.status;
    visit("version", reply.version);
    visit("process_id", reply.process_id);
    visit("mountpoint", reply.mountpoint);
    visit("store", reply.store);
    visit("torrents", s.torrents);
    visit("peers", s.peers);
    visit.rate("down_rate", s.down_rate);
    visit.rate("up_rate", s.up_rate);
    visit("down_limit", s.down_limit);
    visit("up_limit", s.up_limit);
    visit("listening", s.listening);
    visit("incoming_seen", s.incoming_seen);
    visit("interface", s.interface);
    visit("port_mapping", s.port_mapping);
    visit("pinhole", s.pinhole);
    visit("proxy", s.proxy);
    visit("disk_free_bytes", s.disk_free_bytes);
    visit("ip_filter", s.ip_filter);
    visit("config", reply.config);
    visit("obstacle", reply.obstacle);
}

}  // namespace rqfs::tools
