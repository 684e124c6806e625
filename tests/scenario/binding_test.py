"""Bound to one of two interfaces (network.interface), rqfs sends everything through it and nothing through the other, whatever becomes of it."""
import subprocess
import time

import lab
from lab import MIB, Daemon, OpenTracker, Process, Reader, Scenario, Session, answers, needs, needs_root, wait_for
from tracker import Tracker
from two_ways import INTERNET, INTERNET6, NAMES, NAMES6, TUNNEL6, NameServer, TwoWays

DHT = {'enable_dht': True, 'dht_restrict_routing_ips': False, 'dht_restrict_search_ips': False, 'dht_enforce_node_id': False,
       'dht_prefer_verified_node_ids': False, 'dht_ignore_dark_internet': False}
ALL = '''network:
  port_mapping: true
  test_network: true
  interface: {interface}
  dns: {names}
  dht_routers: {routers}
'''


def certificate(directory, name):
    """A file of a key and of its certificate for a name, which nobody else has signed."""
    key, made = directory / 'key.pem', directory / 'certificate.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=' + name, '-addext',
                    'subjectAltName=DNS:' + name, '-keyout', key, '-out', made], check=True, capture_output=True)
    made.write_text(made.read_text() + key.read_text())
    return made


@needs_root()
@needs('nft', 'opentracker', 'openssl', 'sysctl', 'tc')
class Binding(Scenario):
    def setUp(self):
        super().setUp()
        self.ways = TwoWays(self)
        self.names = NameServer(self)
        self.certificate = certificate(self.directory, 'long.example')
        # The daemon does not keep its routers as nodes: it needs others.
        routers = [self.router(*addresses) for addresses in ((INTERNET, NAMES), (f'[{INTERNET6}]', f'[{NAMES6}]'))]
        self.routers = '["' + '", "'.join(routers) + '"]'

    def router(self, address, of_another):
        router, other = [Session(self, f'{each}:0', **DHT) for each in (address, of_another)]
        other.session.add_dht_node((address.strip('[]'), router.session.listen_port()))
        return router.endpoint

    def daemon(self, interface, config=ALL):
        text = config.format(interface=interface, names=NAMES, routers=self.routers)
        within = self.ways.within + ['env', f'SSL_CERT_FILE={self.certificate}']
        return Daemon(self, config=text, listen=('0.0.0.0:6881', '[::]:6881'), within=within).start()

    def assert_nothing_leaves(self):
        self.assertEqual(self.ways.sent('eth0'), 0, self.ways.seen())

    def seed(self, *torrents):
        """By what name their tracker is known to the daemon, as http and as udp."""
        tracker = OpenTracker(self, *(torrent.hash for torrent in torrents), host=INTERNET)
        for torrent in torrents:
            seed = Session(self, f'{INTERNET}:0').seed(torrent)
            seed.torrent.add_tracker({'url': tracker.http})
            wait_for(lambda: any(t['verified'] for t in seed.torrent.trackers()), 30, 'the seed is announced')
        return [tracker.http.replace(INTERNET, 'tracker.example'), tracker.udp.replace(INTERNET, 'tracker.example')]

    def read_magnet(self, daemon, torrent, *trackers):
        path = daemon.add(torrent.magnet(trackers=trackers))
        wait_for(lambda: daemon.torrent(torrent)['size_bytes'], 90, daemon.tail)
        self.assert_mount_equals(path, torrent)

    def use_everything(self, daemon, *addresses):
        """Names, trackers of all kinds, peers both ways over the families of these addresses of it, the DHT and the local network, each of
        which has to work."""
        torrents = [self.film(MIB, f'film{i}.bin', seed=i) for i in (1, 2)]
        for torrent, tracker in zip(torrents, self.seed(*torrents)):
            self.read_magnet(daemon, torrent, tracker)
        self.assertIn(b'tracker\7example', self.names.names)
        for number, ours in enumerate(addresses, 4):
            internet = f'[{INTERNET6}]' if ':' in ours else INTERNET
            self.read_from_https_tracker(daemon, self.film(MIB, f'film{number}.bin', seed=number), internet)
            leech = Session(self, f'{internet}:0')
            leech.leech_magnet(torrents[0].magnet(), self.directory / f'leech{number}').connect(f'{ours}:6881')
            leech.wait_complete(30)
        self.assertGreater(self.names.by_tcp, 0)
        wait_for(lambda: sum(node['connected'] for node in daemon.ctl('dht')['nodes']) == len(addresses), 30, lambda: daemon.ctl('dht'))
        neighbours = self.film(MIB, 'neighbours.bin', seed=3)
        Session(self, '10.78.0.1:0', enable_lsd=True).seed(neighbours)
        self.read_magnet(daemon, neighbours)
        self.ask_a_slow_name_server(daemon)

    def read_from_https_tracker(self, daemon, torrent, internet):
        """Its name is answered over TCP alone, and its only peer is there."""
        seed = Session(self, f'{internet}:0').seed(torrent)
        tracker = Tracker(self, '::', name='long.example', tls=self.certificate, peers=[(internet.strip('[]'), seed.session.listen_port())])
        self.read_magnet(daemon, torrent, tracker.url)

    def ask_a_slow_name_server(self, daemon):
        """It answers once more when the lookup is over."""
        daemon.add(self.film(MIB, 'slow.bin', seed=9).magnet(trackers=['http://slow.example:1/announce']))
        wait_for(lambda: b'slow\7example' in self.names.names, 10, 'the name is asked for')
        time.sleep(2 * NameServer.SLOW_SECONDS + 1)

    def test_a_name_everything_goes_through_it(self):
        self.ways.connect()

        self.use_everything(self.daemon('tun0'), '10.78.0.2', f'[{TUNNEL6}]')

        self.assert_nothing_leaves()
        for kind in ('tun0', 'mapping', 'dns', 'dns-tcp', 'tcp6', 'udp6'):
            self.assertGreater(self.ways.sent(kind), 0, kind)

    def test_an_address_everything_comes_from_it(self):
        self.ways.connect()
        self.ways.run('ip', 'addr', 'add', '10.78.0.3/24', 'dev', 'tun0')
        self.ways.run('nft', 'add', 'rule', 'inet', 'count', 'out', 'ip', 'saddr', '!=', '10.78.0.3', 'ip', 'protocol', '!=', 'igmp', 'oifname',
                      'tun0', 'counter', 'comment', '"others"')

        self.use_everything(self.daemon('10.78.0.3'), '10.78.0.3')

        self.assert_nothing_leaves()
        self.assertGreater(self.ways.sent('tun0'), 10)
        for kind in ('others', 'tcp6', 'udp6'):
            self.assertEqual(self.ways.sent(kind), 0, kind)

    def download_amid(self, config=''):
        """A daemon into which data is streaming, more of which is on its way at every moment."""
        self.ways.connect()
        self.ways.queue()
        torrent = self.film(32 * MIB)
        tracker, _ = self.seed(torrent)
        daemon = self.daemon('tun0', ALL + config)
        path = daemon.add(torrent.magnet(trackers=[tracker]))
        wait_for(lambda: daemon.torrent(torrent)['size_bytes'], 60, daemon.tail)
        Reader(self, path / torrent.name, 0, 24 * MIB)
        wait_for(lambda: daemon.torrent(torrent)['have_bytes'] > 4 * MIB, 30, lambda: daemon.torrent(torrent))
        return daemon, torrent

    def test_connections_that_end_amid_data_are_ended_through_it(self):
        daemon, torrent = self.download_amid()

        daemon.ctl('pause', torrent.hash)

        time.sleep(2)
        self.assert_nothing_leaves()

    def test_at_its_end_connections_are_ended_through_it(self):
        daemon, _ = self.download_amid('  dht: false\n')

        self.assertLess(daemon.stop(), lab.STOP_SECONDS)

        time.sleep(2)
        self.assert_nothing_leaves()

    def meet_over_ipv6(self, interface, config):
        """Over eth0 alone there is IPv6: to a tracker's other address, a router of the DHT, and a seed that a magnet link names."""
        self.ways.connect(ipv6=False)
        torrents = [self.film(MIB, f'film{i}.bin', seed=i) for i in (1, 2)]
        (tracker, _), seed = self.seed(torrents[0]), Session(self, f'[{INTERNET6}]:0').seed(torrents[1])
        daemon = self.daemon(interface, config)
        daemon.add(torrents[1].magnet(seed.endpoint))
        self.read_magnet(daemon, torrents[0], tracker)
        return daemon, torrents[1]

    def test_nothing_goes_by_the_ipv6_of_another_interface(self):
        daemon, only_there = self.meet_over_ipv6('tun0', ALL)

        # Long enough for every family to be tried, and for another attempt: see the next.
        time.sleep(10)
        self.assertEqual(daemon.torrent(only_there)['size_bytes'], 0)
        self.assert_nothing_leaves()

    def test_without_it_ipv6_is_used(self):
        daemon, only_there = self.meet_over_ipv6('', ALL.replace('  interface: {interface}\n', ''))

        wait_for(lambda: daemon.torrent(only_there)['size_bytes'], 10, daemon.tail)
        self.assertGreater(self.ways.sent('eth0'), 10)

    def test_without_it_the_same_counter_counts(self):
        self.ways.connect()
        torrent = self.film(MIB)
        tracker, _ = self.seed(torrent)
        daemon = self.daemon('', ALL.replace('  interface: {interface}\n', ''))

        self.read_magnet(daemon, torrent, tracker)

        self.assertGreater(self.ways.sent('eth0'), 10)

    @needs('microsocks')
    def test_a_proxy_is_reached_through_it_and_nobody_else_is(self):
        self.ways.connect()
        self.ways.run('nft', 'add', 'rule', 'inet', 'count', 'out', 'oifname', 'tun0', 'meta', 'l4proto', '{ tcp, udp }', 'th', 'dport', '!=',
                      '1080', 'counter', 'comment', '"past"')
        torrent = self.film(MIB)
        tracker = self.seed(torrent)[0].replace('tracker.example', INTERNET)
        proxy = Process(self, ['microsocks', '-i', INTERNET, '-p', '1080'], 'proxy')
        wait_for(lambda: answers(INTERNET, 1080), 10, proxy.tail)
        daemon = self.daemon('tun0', ALL + f'  proxy: socks5://{INTERNET}:1080\n')

        self.read_magnet(daemon, torrent, tracker)

        self.assert_nothing_leaves()
        self.assertEqual(self.ways.sent('past'), 0)
        self.assertGreater(self.ways.sent('tun0'), 10)

    def test_it_goes_and_comes_back_as_another_device_with_another_address(self):
        # Not the address of other tests, whose host would answer what the peers of this one go on sending there.
        self.ways.connect('10.78.0.8')
        torrent = self.film(8 * MIB)
        tracker, _ = self.seed(torrent)
        daemon = self.daemon('tun0', ALL + 'limits:\n  down: 1M\n')
        path = daemon.add(torrent.magnet(trackers=[tracker]))
        wait_for(lambda: daemon.torrent(torrent)['size_bytes'], 60, daemon.tail)
        Reader(self, path / torrent.name, 0, 1000).result(30)

        self.ways.disconnect()
        reader = Reader(self, path / torrent.name, 6 * MIB, MIB)
        wait_for(lambda: 'the interface has gone' in daemon.tail(100000), 30, daemon.tail)
        self.ways.connect('10.78.0.9')

        self.assertEqual(len(reader.result(60)), MIB)
        self.assert_mount_equals(path, torrent)
        leech = Session(self, f'{INTERNET}:0')
        leech.leech_magnet(torrent.magnet(), self.directory / 'leech').connect('10.78.0.9:6881')
        leech.wait_complete(30)
        self.assert_nothing_leaves()

    def test_what_is_not_there_at_the_start_is_waited_for(self):
        torrent = self.film(MIB)
        tracker, _ = self.seed(torrent)
        daemon = self.daemon('tun0')
        path = daemon.add(torrent.magnet(trackers=[tracker]))
        self.assertIn('the interface is not there', daemon.tail(100000))

        self.ways.connect()

        wait_for(lambda: daemon.torrent(torrent)['size_bytes'], 90, daemon.tail)
        self.assert_mount_equals(path, torrent)
        self.assert_nothing_leaves()


if __name__ == '__main__':
    lab.main()
