"""A magnet that is nothing but an info-hash plays from the mount in networks that have one way to find peers and no other: a DHT, local
discovery, one peer that exchanges peers, or a tracker; each over IPv4 alone and over IPv6 alone. Nothing is lifted for laboratories."""

import json
import urllib.parse

import lab
from lab import MIB, Session, needs, needs_root, wait_for
from neighbours import DIALS_NOBODY, Every, Neighbours
from networks import PRIVATE4, PRIVATE6, PUBLIC4, PUBLIC6, Computer, Lan
from player import Player
from tracker import Tracker


class Found(Neighbours):
    def assert_plays(self, daemon, path, *sources, meanwhile=lambda: None):
        """From peers that we were told of by one of `sources`, and by nobody else."""
        film, seen = path / self.torrent.name, set()

        def look():
            meanwhile()
            seen.update(self.sources(daemon))

        wait_for(lambda: (look(), film.exists())[1], 100,
                 lambda: f'the film is in the mount: {daemon.torrent(self.torrent)} {daemon.tail()}')
        player = Player(self, film, self.torrent)
        wait_for(lambda: (look(), player.has_ended())[1], 150, lambda: f'the film is over: {daemon.torrent(self.torrent)}')

        player.assert_shown()
        self.assertTrue(seen)
        self.assertLessEqual(seen, set(sources))
        return seen


@needs_root()
@needs('ip', 'nsenter', 'nft')
class OnlyADht(Found):
    """Of libtorrent's nodes, each at an address of its own."""

    NODES = range(10, 16)

    def plays(self, network):
        lan = Lan(self, network)
        others, ours = lan.computer(*self.NODES), lan.computer(2)
        nodes = self.nodes(others, [lan.host(number) for number in self.NODES])
        seed = nodes[3].seed(self.torrent)
        others.run('nft', '-f', '-', input=DIALS_NOBODY, text=True)
        daemon = self.daemon(ours, dht=True, more=f'  dht_routers: ["{others.endpoint()}"]\n')
        path = daemon.add(self.bare)

        self.assert_plays(daemon, path, 'dht', meanwhile=Every(3, seed.torrent.force_dht_announce))

    def comes_from_us(self, network):
        lan = Lan(self, network)
        others, ours, theirs = lan.computer(*self.NODES), lan.computer(2), lan.computer(3)
        self.nodes(others, [lan.host(number) for number in self.NODES])
        daemon = self.complete(ours, theirs, dht=True, more=f'  dht_routers: ["{others.endpoint()}"]\n')
        ours.run('nft', '-f', '-', input=DIALS_NOBODY, text=True)
        daemon.start()

        self.assert_found(ours.endpoint(), self.session(theirs), others.address)

    def test_over_ipv4(self):
        self.plays(PUBLIC4.format(0))

    def test_over_ipv6(self):
        self.plays(PUBLIC6.format(0))

    def test_libtorrent_finds_us_over_ipv4(self):
        self.comes_from_us(PUBLIC4.format(0))

    def test_libtorrent_finds_us_over_ipv6(self):
        self.comes_from_us(PUBLIC6.format(0))


@needs_root()
@needs('ip', 'nsenter', 'nft')
class OnlyLocalDiscovery(Found):
    def plays(self, network):
        lan = Lan(self, network)
        ours, theirs = lan.computer(2), lan.computer(3)
        theirs.run('nft', '-f', '-', input=DIALS_NOBODY, text=True)  # it hears us as well
        daemon = self.daemon(ours, lsd=True)
        path = daemon.add(self.bare)

        self.quiet_seed(theirs, enable_lsd=True)  # says at its start what it has, and then only every five minutes

        self.assert_plays(daemon, path, 'lsd')

    def test_over_ipv4(self):
        self.plays(PRIVATE4.format(1))

    def test_over_ipv6(self):
        self.plays(PRIVATE6.format(1))


@needs_root()
@needs('ip', 'nsenter', 'nft')
class OnlyALink(Found):
    """Two computers and a cable: nobody has given them addresses, and they have but the link-local ones that IPv6 begins with."""

    def setUp(self):
        super().setUp()
        self.ours, self.theirs = Computer(self), Computer(self)
        self.ours.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', str(self.theirs.holder.pid))
        for computer in (self.ours, self.theirs):
            computer.run('ip', 'link', 'set', 'eth0', 'up')
        for computer in (self.ours, self.theirs):
            addresses = wait_for(lambda: self.addresses(computer), 10, 'an address')
            self.assertEqual([address[:6] for address in addresses], ['fe80::'])
            computer.address = addresses[0]

    def addresses(self, computer):
        shown = computer.run('ip', '-json', 'addr', 'show', 'dev', 'eth0', capture_output=True, text=True).stdout
        return [address['local'] for address in json.loads(shown)[0]['addr_info'] if not address.get('tentative')]

    def has_everything(self, computer):
        """A daemon there that is a seed."""
        with computer.inside():
            seed = Session(self, '127.0.0.1:0').seed(self.torrent)
        daemon = self.daemon(computer, 'theirs', lsd=True)
        daemon.add(self.torrent.path)
        daemon.ctl('connect', self.torrent.hash, seed.endpoint)
        daemon.ctl('download', self.torrent.hash)
        daemon.wait_state(self.torrent, 'seeding', 60)
        seed.end()

    def test_by_local_discovery(self):
        self.has_everything(self.theirs)
        # Nobody can dial us: we do.
        rules = 'table inet guard { chain in { type filter hook input priority 0; tcp flags syn / syn,ack tcp dport 6881 drop; }; }'
        self.ours.run('nft', '-f', '-', input=rules, text=True)
        daemon = self.daemon(self.ours, lsd=True)
        path = daemon.add(self.bare)

        endpoints = set()

        def look():
            endpoints.update(peer['endpoint'] for peer in daemon.ctl('peers', self.torrent.hash)['peers'])

        self.assert_plays(daemon, path, 'lsd', meanwhile=look)

        interface = json.loads(self.ours.run('ip', '-json', 'link', 'show', 'eth0', capture_output=True, text=True).stdout)[0]['ifindex']
        self.assertEqual(endpoints, {f'[{self.theirs.address}%{interface}]:6881'})


@needs_root()
@needs('ip', 'nsenter')
class OnlyAPeerThatKnowsOthers(Found):
    def plays(self, network):
        lan = Lan(self, network)
        ours, between, theirs = lan.computer(2), lan.computer(3), lan.computer(4)
        seed = self.quiet_seed(theirs, close_redundant_connections=False)
        relay = self.session(between, close_redundant_connections=False).leech(self.torrent, self.directory / 'relay')
        relay.torrent.prioritize_files([0])  # it has nothing to give but the metadata
        relay.connect(seed.endpoint)
        wait_for(lambda: relay.status().num_peers == 1, 10, 'the relay knows the seed')
        daemon = self.daemon(ours)
        path = daemon.add(self.bare)
        daemon.ctl('connect', self.torrent.hash, between.endpoint())

        seen = self.assert_plays(daemon, path, 'user', 'pex')

        self.assertIn('user', seen)
        self.assertEqual(relay.uploaded(), 0)
        self.assertGreaterEqual(seed.uploaded(), 3 * MIB)

    def test_over_ipv4(self):
        self.plays(PUBLIC4.format(0))

    def test_over_ipv6(self):
        self.plays(PUBLIC6.format(0))


@needs_root()
@needs('ip', 'nsenter')
class OnlyATracker(Found):
    def test_over_ipv6_at_an_address_without_a_name(self):
        lan = Lan(self, PUBLIC6.format(0))
        ours, theirs, place = lan.computer(2), lan.computer(3), lan.computer(4)
        tracker = Tracker.on(self, place)
        seed = self.quiet_seed(theirs)
        seed.torrent.replace_trackers([{'url': tracker.url, 'tier': 0}])
        seed.torrent.force_reannounce()
        wait_for(lambda: tracker.endpoints(self.torrent), 30, 'the seed announces itself')
        daemon = self.daemon(ours)

        path = daemon.add(self.bare + '&tr=' + urllib.parse.quote(tracker.url, safe=''))

        self.assert_plays(daemon, path, 'tracker')
        self.assertIn(ours.endpoint(), tracker.endpoints(self.torrent))


if __name__ == '__main__':
    lab.main()
