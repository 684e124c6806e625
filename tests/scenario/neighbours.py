"""What scenarios of finding and being found share: a film, clients on computers of their own, and how they came to know each other."""
import ipaddress
import time

import lab
import node_id
from lab import MIB, Daemon, Scenario, Session, lt, wait_for

# Of libtorrent: neighbours share an address range here, and not everybody's id follows from its address.
LABORATORY = {'enable_dht': True, 'dht_restrict_routing_ips': False, 'dht_restrict_search_ips': False, 'dht_enforce_node_id': False,
              'dht_prefer_verified_node_ids': False, 'dht_ignore_dark_internet': False}


# We would find whoever asks for what we have, and dial it first.
DIALS_NOBODY = 'table inet dials_nobody { chain out { type filter hook output priority 0; tcp flags & (syn | ack) == syn drop; }; }'


class Every:
    """Calls again and again what others do by themselves once in a quarter of an hour, perhaps too early."""

    def __init__(self, seconds, call):
        self.seconds, self.call, self.last = seconds, call, 0.0

    def __call__(self):
        if time.monotonic() - self.last >= self.seconds:
            self.last = time.monotonic()
            self.call()


def keep_id(session, address):
    """libtorrent would begin with any, and anew with one that follows from its address when it hears that; others would know it by both."""
    session.apply_settings({'enable_dht': False})
    ours = node_id.that_follows_from(address) + ipaddress.ip_address(address).packed
    session.load_state({b'dht state': {b'node-id': [ours]}})
    session.apply_settings({'enable_dht': True})


class Neighbours(Scenario):
    """Whoever is started here has no way to find anybody but those that are asked for."""

    SIZE = 4 * MIB

    def setUp(self):
        super().setUp()
        self.torrent = self.film(self.SIZE, piece_bytes=64 * 1024)
        self.bare = 'magnet:?xt=urn:btih:' + self.torrent.hash

    def daemon(self, computer, name='rqfs', dht=False, lsd=False, more='', start=True, port=6881):
        """In the world as it is: nothing is lifted for laboratories."""
        config = f'network:\n  dht: {str(dht).lower()}\n  lsd: {str(lsd).lower()}\n{more}'
        daemon = Daemon(self, name, config=config, listen=(computer.listen(port),), within=computer.within)
        return daemon.start() if start else daemon

    def session(self, computer, address=None, **settings):
        address = address or computer.address
        with computer.inside():
            return Session(self, f'[{address}]:6881' if ':' in address else f'{address}:6881', **settings)

    def quiet_seed(self, *place, **settings):
        """One that hears of nobody by peer exchange."""
        seed = self.session(*place, **settings).seed(self.torrent)
        seed.torrent.set_flags(lt.torrent_flags.disable_pex)
        return seed

    def complete(self, computer, source, **ways):
        """A daemon that is not running and has everything, from a libtorrent at `source`. When it starts it has these ways."""
        daemon, seed = self.daemon(computer), self.session(source).seed(self.torrent)
        daemon.add(self.bare)
        daemon.ctl('connect', self.torrent.hash, source.endpoint())
        wait_for(lambda: daemon.torrent(self.torrent)['size_bytes'], 60, lambda: f'the metadata: {daemon.tail()}')
        daemon.ctl('download', self.torrent.hash)
        daemon.wait_state(self.torrent, 'seeding', 60)
        daemon.stop()
        seed.end()
        more = self.daemon(computer, start=False, **ways)
        return more

    def sources(self, daemon):
        return {peer['source'] for peer in daemon.ctl('peers', self.torrent.hash)['peers']}

    def nodes(self, computer, addresses, **settings):
        """A DHT of libtorrent's nodes, who all know each other."""
        return self.introduced([self.session(computer, address, **LABORATORY, **settings) for address in addresses])

    def introduced(self, nodes):
        """They all get to know each other."""
        addresses = [node.host.strip('[]') for node in nodes]
        for node, address in zip(nodes, addresses):
            keep_id(node.session, address)

        def introduce():
            for node, own in zip(nodes, addresses):
                for address in addresses:
                    if address != own:
                        node.session.add_dht_node((address, 6881))

        introduce, known = Every(1, introduce), lambda: [node.session.status().dht_nodes for node in nodes]
        wait_for(lambda: (introduce(), min(known()) >= len(nodes) - 1)[1], 60, lambda: f'the nodes know each other: {known()}')
        return nodes

    def assert_found(self, endpoint, leech, router):
        """By a libtorrent that has nothing but the DHT: it dials there, and that is where it gets everything from."""
        leech.session.apply_settings({**LABORATORY, 'close_redundant_connections': False})
        leech.leech_magnet(self.bare, self.directory / 'got').torrent.set_flags(lt.torrent_flags.disable_pex)
        dialled = set()

        def search():
            leech.session.add_dht_node((router, 6881))
            leech.torrent.force_dht_announce()

        def look():
            again()
            dialled.update(peer.ip for peer in leech.torrent.get_peer_info() if peer.flags & peer.local_connection and peer.total_download)
            return leech.status().is_seeding

        again = Every(3, search)
        wait_for(look, 100, lambda: f'libtorrent has everything: {leech.status().progress} of {dialled}')
        self.assertEqual({f'[{host}]:{port}' if ':' in host else f'{host}:{port}' for host, port in dialled}, {endpoint})
        self.assertEqual(lab.sha256(self.directory / 'got' / self.torrent.name), lab.sha256(self.torrent.content))
