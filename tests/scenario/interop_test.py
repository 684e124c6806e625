"""Other people's clients and we find each other by a bare info-hash, with local discovery or the DHT and nothing else: we find them (by
their source in `peers`), and they find us (they come in). In the DHT a seed of theirs and we only meet: whoever searches last finds the other.

libtorrent's part is in discovery_test and dht_test, peer exchange in exchange_test.
"""
import os
import socket
import unittest

import lab
from interop import Interop
from lab import needs, needs_root
from networks import PRIVATE4, PUBLIC4

GROUP = ('239.192.152.143', 6771)  # BEP 14


@needs_root()
@needs('ip', 'nsenter')
class ByLocalDiscovery(Interop):
    NETWORK = PRIVATE4.format(1)

    def hear(self):
        """The local network, as the third computer hears it: an announcement that we are too late for."""
        with self.third.inside():
            heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(heard.close)
        heard.bind(GROUP)
        heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP[0]) + socket.inet_aton(self.third.address))
        heard.settimeout(60)
        return heard

    @needs('transmission-daemon', 'transmission-remote')
    def test_we_find_transmission(self):
        daemon = self.daemon(self.ours, lsd=True)
        path = daemon.add(self.bare)

        self.transmission(**{'lpd-enabled': True}).seed(self.torrent)

        self.assert_read_from(daemon, path, 'lsd')

    @needs('transmission-daemon', 'transmission-remote')
    def test_transmission_finds_us(self):
        daemon = self.complete(self.ours, self.third, lsd=True)
        heard, leech = self.hear(), self.transmission(**{'lpd-enabled': True})
        leech.leech(self.bare)
        heard.recv(1500)

        daemon.start()

        self.assert_comes_in(daemon, self.has(leech.downloads / self.torrent.name), leech.details)

    @needs('aria2c')
    def test_we_find_aria2(self):
        daemon = self.daemon(self.ours, lsd=True)
        path = daemon.add(self.bare)

        self.aria2(self.torrent.path, 'data', '--check-integrity=true', '--bt-enable-lpd=true')

        self.assert_read_from(daemon, path, 'lsd')

    @needs('aria2c')
    def test_aria2_finds_us(self):
        daemon = self.complete(self.ours, self.third, lsd=True)
        heard, leech = self.hear(), self.aria2(self.bare, 'got', '--bt-enable-lpd=true')
        heard.recv(1500)

        daemon.start()

        self.assert_comes_in(daemon, self.has(leech.directory / self.torrent.name), leech.tail)


@unittest.skipUnless('RQFS_SLOW' in os.environ, 'takes a minute a client until it knows its DHT (RQFS_SLOW=1)')
@needs_root()
@needs('ip', 'nsenter')
class ByTheDht(Interop):
    NETWORK = PUBLIC4.format(0)

    def setUp(self):
        super().setUp()
        numbers = range(20, 32)  # transmission trusts no smaller DHT
        self.others = self.lan.computer(*numbers)
        self.addresses = [self.lan.host(n) for n in numbers]
        self.dht = self.nodes(self.others, self.addresses)
        self.ways = {'dht': True, 'more': f'  dht_routers: ["{self.others.endpoint()}"]\n'}

    def bring_in(self, transmission):
        """Peers that have a DHT say so when they connect (PORT, BEP 5). By itself transmission takes three minutes to know so many."""
        other = lab.make_torrent(lab.write_random(self.directory / 'other' / 'other.bin', 65536, seed=2))
        transmission.remote('-w', transmission.downloads, '-a', other.path)
        for node in self.dht:
            node.leech(other, self.directory / 'other-got').connect(transmission.endpoint)

    @needs('transmission-daemon', 'transmission-remote')
    def test_a_seed_of_transmission_and_we_meet(self):
        seed = self.transmission(dht_node=self.others.endpoint())
        seed.seed(self.torrent)
        self.bring_in(seed)
        daemon = self.daemon(self.ours, **self.ways)

        path = daemon.add(self.bare)

        self.assert_read_from(daemon, path, 'dht', 'incoming')

    @needs('transmission-daemon', 'transmission-remote')
    def test_transmission_finds_us(self):
        daemon = self.complete(self.ours, self.third, **self.ways).start()
        leech = self.transmission(dht_node=self.others.endpoint())
        leech.leech(self.bare)

        self.bring_in(leech)

        self.assert_comes_in(daemon, self.has(leech.downloads / self.torrent.name), leech.details)

    def of_aria2(self):
        return ['--enable-dht=true', '--dht-entry-point=' + self.others.endpoint(), f'--dht-file-path={self.directory}/dht.dat',
                '--dht-listen-port=6882']

    @needs('aria2c')
    def test_a_seed_of_aria2_and_we_meet(self):
        self.aria2(self.torrent.path, 'data', '--check-integrity=true', *self.of_aria2())
        daemon = self.daemon(self.ours, **self.ways)

        path = daemon.add(self.bare)

        self.assert_read_from(daemon, path, 'dht', 'incoming')

    @needs('aria2c')
    def test_aria2_finds_us(self):
        daemon = self.complete(self.ours, self.third, **self.ways).start()

        leech = self.aria2(self.bare, 'got', *self.of_aria2())

        self.assert_comes_in(daemon, self.has(leech.directory / self.torrent.name), leech.tail)


if __name__ == '__main__':
    lab.main()
