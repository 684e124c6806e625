// Peers hear of each other through us: peer exchange (BEP 11) and holepunching (BEP 55).
#include "torrent/connections.h"
#include "torrent/link_scope.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace rqfs::torrent {

namespace {

// Where others can dial it; nothing when we do not know.
std::optional<Endpoint> listens_at(ConnectedPeer const& peer) {
    auto const& connection = *peer.connection;
    if (!connection.incoming()) return peer.listed;
    if (!connection.extensions().port) return std::nullopt;
    return connection.listening_at();
}

std::uint8_t flags_of(PeerConnection const& connection) {
    unsigned flags = 0;
    if (connection.extensions().prefers_encryption.value_or(false)) flags |= PexPeer::kPrefersEncryption;
    if (connection.seed()) flags |= PexPeer::kSeed;
    if (connection.extensions().ut_holepunch != 0) flags |= PexPeer::kHolepunch;
    if (!connection.incoming()) flags |= PexPeer::kReachable;
    return static_cast<std::uint8_t>(flags);
}

// A port is its owner's word: nobody shall be made to dial somebody's mail server.
bool may_be_told(Endpoint const& listens_at, SessionContext const& session) {
    auto const& address = listens_at.address;
    if (is_link_local_v6(address)) return false;  // others have other links
    bool const test_network = session.settings.test_network;
    // A private address of a network that is not ours (a provider's, a tunnel's) means nothing to anybody we know.
    if (is_local(address) && !session.is_neighbour(address) && !test_network) return false;
    return may_dial(listens_at, AddressSource::incoming, test_network);
}

bool stays_local(PeerConnection const& connection, SessionContext const& session) {
    auto const address = connection.remote().address;
    return is_local(address) && session.is_neighbour(address) && !session.settings.test_network;
}

}  // namespace

void Connections::exchange_peers(TimePoint now) {
    if (owner_.is_private() || !exchange_.due(now)) return;
    std::vector<PeerExchange::Member> members;
    for (auto const& [handle, peer] : peers_) {
        if (!peer.connection->reason().empty()) continue;
        PeerExchange::Member member;
        member.handle = handle;
        member.listens_at = listens_at(peer);
        if (member.listens_at && !may_be_told(*member.listens_at, session_)) member.listens_at.reset();
        member.flags = flags_of(*peer.connection);
        member.local = stays_local(*peer.connection, session_);
        members.push_back(member);
    }
    for (auto const& [handle, message] : exchange_.news(members, now)) find(handle)->send_exchange(message);
}

void Connections::peer_exchange(PeerConnection& peer, PexMessage const& message) {
    if (owner_.is_private()) return;
    auto const now = session_.clock.now();
    auto const heard = exchange_.heard(peer.handle(), message, now);
    if (heard.flood) return peer.close("floods us with addresses");
    // A neighbour knows addresses of our own network, a stranger does not.
    auto const trusted_as = stays_local(peer, session_) ? AddressSource::lsd : AddressSource::pex;
    for (auto const& [endpoint, flags] : heard.peers) {
        bool const fresh = known_.find(endpoint) == nullptr;
        if (learn_from(peer, endpoint, trusted_as) && fresh && (flags & PexPeer::kSeed) != 0)
            known_.set_seed(endpoint, true);
    }
    dial_more();
}

bool Connections::learn_from(PeerConnection const& peer, Endpoint const& named, AddressSource trusted_as) {
    auto const now = session_.clock.now();
    auto const by = peer.remote().address;
    // Nobody can name an interface of ours.
    if (is_link_local_v6(named.address) || !session_.may_dial(named, trusted_as)) return false;
    // What is known costs nobody a dial more, unless it was given up long ago. A laboratory's peers share an address.
    auto const* const listed = known_.find(named);
    bool const counts = (listed == nullptr || listed->given_up()) && !session_.settings.test_network;
    if ((counts && !naming_.may_name(by, now)) || !known_.add(named, PeerSource::pex, now)) return false;
    if (counts) naming_.named(by, now);
    return true;
}

void Connections::peer_holepunch(PeerConnection& peer, HolepunchMessage const& message) {
    auto const now = session_.clock.now();
    if (owner_.is_private() || message.type == HolepunchMessage::Type::error) return;
    if (message.type == HolepunchMessage::Type::connect) {
        // Who is behind a NAT that keeps its ports can be reached now, by TCP too.
        if (peer.extensions().ut_holepunch == 0 || !holepunch_.may_dial_for(peer.handle(), now)) return;
        learn_from(peer, message.endpoint, AddressSource::pex);
        return dial_more();
    }
    std::vector<HolepunchRelay::Member> members;
    for (auto const& [handle, connected] : peers_) {
        auto const& connection = *connected.connection;
        if (!connection.reason().empty()) continue;
        auto const at = listens_at(connected).value_or(connection.remote());
        members.push_back({handle, connection.remote(), at, connection.extensions().ut_holepunch != 0,
                           stays_local(connection, session_), may_be_told(at, session_)});
    }
    auto const answers = holepunch_.rendezvous(peer.handle(), message.endpoint, members, session_.is_our_own, now);
    for (auto const& [handle, answer] : answers) find(handle)->send_holepunch(answer);
}

}  // namespace rqfs::torrent
