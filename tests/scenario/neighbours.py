"""What scenarios of finding and being found share: a film, clients on computers of their own, and how they came to know each other."""
import time

import lab
from lab import MIB, Daemon, Scenario, Session, lt, wait_for

# Of libtorrent: neighbours share an address range here, and their ids do not follow from their addresses.
LABORATORY = {'enable_dht': True, 'dht_restrict_routing_ips': False, 'dht_restrict_search_ips': False, 'dht_enforce_node_id': False,
              'dht_prefer_verified_node_ids': False, 'dht_ignore_dark_internet': False}


class Every:
    """Calls again and again what others do by themselves once in a quarter of an hour, perhaps too early."""

    def __init__(self, seconds, call):
        self.seconds, self.call, self.last = seconds, call, 0.0

    def __call__(self):
        if time.monotonic() - self.last >= self.seconds:
            self.last = time.monotonic()
            self.call()


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
        """A DHT of libtorrent's nodes, who all know the first, and it them."""
        nodes = [self.session(computer, address, **LABORATORY, **settings) for address in addresses]

        def introduce():  # again where a node has begun anew, with an id that follows from its address
            for node, address in zip(nodes, addresses):
                node.session.add_dht_node((addresses[0], 6881))
                nodes[0].session.add_dht_node((address, 6881))

        introduce, known = Every(1, introduce), lambda: [node.session.status().dht_nodes for node in nodes]
        wait_for(lambda: (introduce(), all(known()))[1], 60, lambda: f'the nodes know each other: {known()}')
        return nodes
