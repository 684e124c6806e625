"""Peers are found without any tracker and without the DHT: told by another peer (PEX), or as neighbours on the local network (LSD)."""
import subprocess
import time

import lab
from lab import MIB, Daemon, Host, Scenario, Session, Transmission, needs, needs_root, sha256, wait_for

ALONE = 'network:\n  test_network: true\n  dht: false\n  lsd: false\n'
LAN = 'network:\n  test_network: true\n  dht: false\n'


def sources(daemon, torrent):
    return {peer['endpoint']: peer['source'] for peer in daemon.ctl('peers', torrent.hash)['peers']}


class PeerExchange(Scenario):
    def test_libtorrent_tells_us_where_the_seed_is(self):
        torrent = self.film()
        seed = Session(self, close_redundant_connections=False).seed(torrent)
        relay = Session(self, close_redundant_connections=False)
        relay.leech(torrent, self.directory / 'relay')
        relay.torrent.prioritize_files([0])  # it has nothing to give
        relay.connect(seed.endpoint)
        wait_for(lambda: relay.status().num_peers == 1, 10, 'the relay knows the seed')
        daemon = Daemon(self, config=ALONE).start()

        path = daemon.add(torrent.magnet(relay.endpoint))

        self.assert_mount_equals(path, torrent, seconds=90)
        self.assertEqual(relay.uploaded(), 0)

    def test_we_tell_libtorrent_where_the_seed_is(self):
        torrent = self.film()
        seed = Session(self).seed(torrent)
        daemon = Daemon(self, config=ALONE).start()
        daemon.add(torrent.path)
        daemon.ctl('connect', torrent.hash, seed.endpoint)
        wait_for(lambda: sources(daemon, torrent), 10, 'we know the seed')
        leech = Session(self)

        leech.leech_magnet(torrent.magnet(), self.directory / 'leech').connect(daemon.endpoint())

        leech.wait_complete(60)
        self.assertEqual(sha256(self.directory / 'leech' / torrent.name), sha256(torrent.content))
        self.assertEqual(daemon.torrent(torrent)['have_bytes'], 0)

    def test_a_private_torrent_is_not_talked_about(self):
        torrent = self.film(private=True)
        seed = Session(self).seed(torrent)
        daemon = Daemon(self, config=ALONE).start()
        daemon.add(torrent.path)
        daemon.ctl('connect', torrent.hash, seed.endpoint)
        wait_for(lambda: sources(daemon, torrent), 10, 'we know the seed')
        leech = Session(self)
        leech.leech(torrent, self.directory / 'leech').connect(daemon.endpoint())
        wait_for(lambda: len(sources(daemon, torrent)) == 2, 10, 'both are here')

        time.sleep(5)

        self.assertEqual(leech.status().num_peers, 1)

    @needs_root()
    @needs('transmission-daemon', 'transmission-remote')
    def test_transmission_hears_of_the_seed(self):
        places = [Host(self, n) for n in (2, 3, 4)]
        torrent = self.film()
        seed = Session(self, listen='10.77.0.1:0', close_redundant_connections=False).seed(torrent)
        daemon = Daemon(self, 'first', config=ALONE, listen=('0.0.0.0:6881',), within=places[0].within).start()
        daemon.add(torrent.path)
        daemon.ctl('connect', torrent.hash, seed.endpoint)
        wait_for(lambda: sources(daemon, torrent), 10, 'we know the seed')
        other = Transmission(self, host=places[1].address, within=places[1].within, **{'pex-enabled': True})

        other.leech(torrent.path)
        daemon.ctl('connect', torrent.hash, other.endpoint)

        other.wait_complete(60)
        self.assertEqual(sha256(other.downloads / torrent.name), sha256(torrent.content))


@needs_root()
class LocalDiscovery(Scenario):
    def setUp(self):
        super().setUp()
        self.places = [Host(self, n) for n in (2, 3)]

    def daemon(self, number, config=LAN):
        place = self.places[number]
        return Daemon(self, f'rqfs{number}', config=config, listen=('0.0.0.0:6881', '[::]:6881'), within=place.within).start()

    def complete(self, torrent, listen='10.77.0.1:0'):
        """The first daemon has everything from a seed, heard at `listen`, that is gone."""
        daemon, seed = self.daemon(0), Session(self, listen=listen).seed(torrent)
        daemon.add(torrent.magnet(seed.endpoint), '--wait', '--download')
        daemon.wait_state(torrent, 'seeding')
        seed.end()

    def test_a_bare_magnet_is_read_from_libtorrent_next_door(self):
        torrent = self.film()
        seed = Session(self, listen='10.77.0.1:0', enable_lsd=True).seed(torrent)
        daemon = self.daemon(0)

        path = daemon.add(torrent.magnet(), '--wait')

        self.assert_mount_equals(path, torrent)
        self.assertGreaterEqual(seed.uploaded(), 8 * MIB)

    def test_libtorrent_reads_a_bare_magnet_from_us(self):
        torrent = self.film()
        self.complete(torrent)
        leech = Session(self, listen='10.77.0.1:0', enable_lsd=True)

        leech.leech_magnet(torrent.magnet(), self.directory / 'leech')

        leech.wait_complete(60)
        self.assertEqual(sha256(self.directory / 'leech' / torrent.name), sha256(torrent.content))

    def test_two_of_us_find_each_other(self):
        torrent = self.film()
        self.complete(torrent)
        second = self.daemon(1)

        path = second.add(torrent.magnet(), '--wait')

        self.assert_mount_equals(path, torrent)

    def test_over_ipv6_alone(self):
        for place, host in zip(self.places, ('2', '3')):
            subprocess.run(place.within + ['ip', 'addr', 'flush', 'dev', 'eth0'], check=True)
            subprocess.run(place.within + ['ip', 'addr', 'add', f'fd77::{host}/64', 'dev', 'eth0', 'nodad'], check=True)
        subprocess.run(['ip', 'addr', 'add', 'fd77::1/64', 'dev', 'bridge0', 'nodad'], check=True)
        torrent = self.film()
        self.complete(torrent, '[fd77::1]:0')
        second = self.daemon(1)

        path = second.add(torrent.magnet(), '--wait')

        self.assert_mount_equals(path, torrent)

    def test_a_network_that_comes_later_is_used(self):
        torrent = self.film()
        subprocess.run(self.places[0].within + ['ip', 'link', 'set', 'eth0', 'down'], check=True)
        daemon = self.daemon(0)
        path = daemon.add(torrent.magnet())
        Session(self, listen='10.77.0.1:0', enable_lsd=True).seed(torrent)

        subprocess.run(self.places[0].within + ['ip', 'link', 'set', 'eth0', 'up'], check=True)

        wait_for(lambda: daemon.torrent(torrent)['size_bytes'], 90, lambda: daemon.tail())
        self.assert_mount_equals(path, torrent)

    @needs('transmission-daemon', 'transmission-remote')
    def test_transmission_reads_from_us_next_door(self):
        torrent = self.film()
        self.complete(torrent)
        place = self.places[1]
        subprocess.run(place.within + ['ip', 'route', 'add', '239.0.0.0/8', 'dev', 'eth0'], check=True)  # it sends where its routes say
        other = Transmission(self, host=place.address, within=place.within, **{'lpd-enabled': True})

        other.leech(torrent.path)

        other.wait_complete(60)
        self.assertEqual(sha256(other.downloads / torrent.name), sha256(torrent.content))

    def test_a_private_torrent_is_not_announced(self):
        torrent = self.film(private=True)
        Session(self, listen='10.77.0.1:0', enable_lsd=True).seed(torrent)
        daemon = self.daemon(0)
        daemon.add(torrent.path)

        time.sleep(5)

        self.assertEqual(sources(daemon, torrent), {})


if __name__ == '__main__':
    lab.main()
