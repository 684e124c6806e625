"""Magnets that are nothing but an info-hash, in a DHT of other people's nodes."""
import time

import lab
from lab import Daemon, Scenario, Session, wait_for

# Neighbours share an address range here, and their ids do not follow from their addresses.
LABORATORY = {'enable_dht': True, 'dht_restrict_routing_ips': False, 'dht_restrict_search_ips': False, 'dht_enforce_node_id': False,
              'dht_prefer_verified_node_ids': False, 'dht_ignore_dark_internet': False}


class Dht(Scenario):
    def nodes(self, count):
        """libtorrent's, each at an address of its own, who have all met the first, the daemons' router."""
        first = Session(self, '127.0.1.1:0', **LABORATORY)
        self.router = first.endpoint
        nodes = [first] + [self.node(i) for i in range(2, count + 1)]
        wait_for(lambda: all(node.session.status().dht_nodes > 0 for node in nodes), 30,
                 lambda: f'nodes know each other: {[node.session.status().dht_nodes for node in nodes]}')
        return nodes

    def node(self, number):
        node = Session(self, f'127.0.1.{number}:0', **LABORATORY)
        host, _, port = self.router.rpartition(':')
        node.session.add_dht_node((host, int(port)))
        return node

    def daemon(self, name='rqfs', more='', **options):
        network = f'network:\n  test_network: true\n  dht_routers: ["{self.router}"]\n{more}'
        return Daemon(self, name, config=network, **options).start()

    def insist(self, session, condition, seconds, what):
        """Waits while libtorrent searches and announces every 3 s; by itself it does so once in a quarter of an hour, perhaps too early."""
        searched = [0.0]

        def look():
            if time.monotonic() - searched[0] >= 3:
                searched[0] = time.monotonic()
                session.torrent.force_dht_announce()
            return condition()
        return wait_for(look, seconds, what)

    def wait_metadata(self, daemon, torrent, seed):
        """Of a magnet that `seed` announces."""
        self.insist(seed, lambda: daemon.torrent(torrent)['state'] != 'metadata', 100, lambda: f'metadata: {daemon.ctl("dht")}')

    def wait_complete(self, leech):
        self.insist(leech, lambda: leech.status().is_seeding, 100, lambda: f'libtorrent has everything: {leech.status().progress}')

    def wait_connected(self, daemon):
        wait_for(lambda: daemon.ctl('dht')['nodes'][0]['connected'], 30, lambda: f'a node answers: {daemon.ctl("dht")}')

    def complete(self, torrent, name='rqfs'):
        """A daemon that has everything from a seed that is gone."""
        daemon, seed = self.daemon(name), Session(self).seed(torrent)
        daemon.add(torrent.magnet(seed.endpoint), '--wait', '--download')
        daemon.wait_state(torrent, 'seeding')
        seed.end()
        return daemon


class AmongOthers(Dht):
    def setUp(self):
        super().setUp()
        self.torrent = self.film()
        self.got = self.directory / 'got'
        self.got.mkdir()

    def test_a_bare_info_hash_comes_from_libtorrent(self):
        node = self.nodes(6)[3]
        node.session.apply_settings({'enable_outgoing_tcp': False, 'enable_outgoing_utp': False})  # it finds us as well
        seed = node.seed(self.torrent)
        daemon = self.daemon()

        path = daemon.add(self.torrent.magnet())
        self.wait_metadata(daemon, self.torrent, seed)

        self.assertEqual([peer['source'] for peer in daemon.ctl('peers', self.torrent.hash)['peers']], ['dht'])
        self.assert_mount_equals(path, self.torrent)

    def test_a_bare_info_hash_goes_to_libtorrent(self):
        self.nodes(6)
        self.complete(self.torrent)

        leech = self.node(9).leech_magnet(self.torrent.magnet(), self.got)

        self.wait_complete(leech)
        self.assertEqual(lab.sha256(self.got / self.torrent.name), lab.sha256(self.torrent.content))

    def test_a_daemon_alone_is_a_router_for_libtorrent(self):
        self.router = '127.0.0.1:1'  # where nobody is
        seed_daemon = self.complete(self.torrent)
        self.router = seed_daemon.endpoint()

        leech = self.node(9).leech_magnet(self.torrent.magnet(), self.got)

        self.wait_complete(leech)

    def test_the_nodes_of_the_last_run_are_enough(self):
        nodes = self.nodes(6)
        daemon = self.daemon()
        self.wait_connected(daemon)
        wait_for(lambda: daemon.ctl('dht')['nodes'][0]['good'] >= 3, 30, lambda: f'several nodes: {daemon.ctl("dht")}')
        daemon.stop()
        nodes[0].end()
        nodes[3].seed(self.torrent)

        daemon.start()
        path = daemon.add(self.torrent.magnet())
        self.wait_metadata(daemon, self.torrent, nodes[3])

        self.assert_mount_equals(path, self.torrent)

    def test_it_is_off_when_it_is_told_so(self):
        self.nodes(3)[1].seed(self.torrent)
        daemon = self.daemon(more='  dht: false\n')

        daemon.add(self.torrent.magnet())

        self.assertEqual(daemon.ctl('dht'), {'nodes': [], 'off': 'network.dht of the configuration says so', 'obstacle': ''})
        self.assertEqual(daemon.ctl('trackers', self.torrent.hash), {'trackers': []})
        self.assertIn('no tracker to ask', daemon.torrent(self.torrent)['reason'])


if __name__ == '__main__':
    lab.main()
