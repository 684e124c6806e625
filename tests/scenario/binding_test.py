"""Bound to one of two interfaces (network.interface), rqfs sends everything through it and nothing through the other, whatever becomes of it."""
import re
import socket
import subprocess
import threading
import time

import lab
from lab import MIB, Daemon, Host, OpenTracker, Process, Reader, Scenario, Session, answers, needs, needs_root, wait_for

INTERNET, NAMES = '203.0.113.1', '203.0.113.53'  # on our side, reached by either way
INTERNET6, OURS6 = '2610::1', '2610::2'
DHT = {'enable_dht': True, 'dht_restrict_routing_ips': False, 'dht_restrict_search_ips': False, 'dht_enforce_node_id': False,
       'dht_prefer_verified_node_ids': False, 'dht_ignore_dark_internet': False}
ALL = '''network:
  port_mapping: true
  test_network: true
  interface: {interface}
  dns: {names}
  dht_routers: ["{router}"]
'''


class NameServer:
    """Says that every name is at INTERNET, and at INTERNET6 if `ipv6`; `names` is what it was asked."""

    def __init__(self, scenario):
        self.names, self.ipv6 = [], False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((NAMES, 53))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        scenario.addCleanup(self.end)

    def serve(self):
        while True:
            query, sender = self.socket.recvfrom(2048)
            if not query:
                return
            end = query.index(b'\0', 12)
            self.names.append(query[13:end])
            question, kind, answer = query[12:end + 5], query[end + 2], b''
            if kind == 1:
                answer = b'\xc0\x0c\0\1\0\1\0\0\0\x05\0\4' + socket.inet_aton(INTERNET)
            elif kind == 28 and self.ipv6:
                answer = b'\xc0\x0c\0\x1c\0\1\0\0\0\x05\0\x10' + socket.inet_pton(socket.AF_INET6, INTERNET6)
            self.socket.sendto(query[:2] + b'\x81\x80\0\1' + (b'\0\1' if answer else b'\0\0') + bytes(4) + question + answer, sender)

    def end(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b'', self.socket.getsockname())
        self.thread.join()
        self.socket.close()


class TwoWays:
    """A host with two ways to the internet: eth0, which it prefers, and tun0. Counts what is sent by each."""

    def __init__(self, scenario):
        self.host = Host(scenario, 2)
        self.within = self.host.within
        # Both end at one bridge: libtorrent hears only on the device that has its address.
        for address in (INTERNET + '/32', NAMES + '/32', '10.78.0.1/24'):
            subprocess.run(['ip', 'addr', 'replace', address, 'dev', 'bridge0'], check=True)
        scenario.addCleanup(subprocess.run, ['ip', 'link', 'del', 'tunnel'], capture_output=True)
        self.run('ip', 'route', 'add', 'default', 'via', '10.77.0.1', 'dev', 'eth0', 'metric', '10')
        self.run('sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0',
                 'net.ipv4.conf.all.arp_ignore=1', 'net.ipv4.conf.all.arp_announce=2')
        rules = 'add table inet count\nadd chain inet count out { type filter hook output priority 0; }\n'
        # Not ours are what the kernel says of itself over IPv6, and its resets for connections that are no more: they have no socket left
        # that could be tied, and follow the routes (rqfs.yaml(5) says so).
        rules += 'add rule inet count out tcp flags & rst == rst accept\n'
        for device in ('eth0', 'tun0'):
            rules += f'add rule inet count out oifname "{device}" meta l4proto != ipv6-icmp counter comment "{device}"\n'
        rules += 'add rule inet count out oifname "tun0" udp dport { 1900, 5351 } counter comment "mapping"\n'
        subprocess.run(self.within + ['nft', '-f', '-'], input=rules, text=True, check=True)

    def run(self, *words):
        return subprocess.run(self.within + list(words), check=True, capture_output=True, text=True).stdout

    def connect(self, address='10.78.0.2'):
        pid = re.search(r'/proc/(\d+)/', self.within[-1])[1]
        subprocess.run(['ip', 'link', 'add', 'tunnel', 'type', 'veth', 'peer', 'name', 'tun0', 'netns', pid], check=True)
        subprocess.run(['ip', 'link', 'set', 'tunnel', 'master', 'bridge0', 'up'], check=True)
        self.run('ip', 'addr', 'add', address + '/24', 'dev', 'tun0')
        self.run('ip', 'link', 'set', 'tun0', 'up')
        self.run('ip', 'route', 'add', 'default', 'via', '10.78.0.1', 'dev', 'tun0', 'metric', '20')

    def give_ipv6(self, device):
        """An address of the internet and a way there, as many providers give it while a tunnel has none."""
        subprocess.run(['ip', 'addr', 'replace', INTERNET6 + '/64', 'dev', 'bridge0', 'nodad'], check=True)
        self.run('ip', 'addr', 'add', OURS6 + '/64', 'dev', device, 'nodad')
        self.run('ip', 'route', 'add', 'default', 'via', INTERNET6, 'dev', device)

    def disconnect(self):
        subprocess.run(['ip', 'link', 'del', 'tunnel'], check=True)

    def sent(self, device):
        return int(re.search(r'packets (\d+) .* comment "' + device + '"', self.run('nft', 'list', 'table', 'inet', 'count'))[1])


@needs_root()
@needs('nft', 'opentracker', 'sysctl')
class Binding(Scenario):
    def setUp(self):
        super().setUp()
        self.ways = TwoWays(self)
        self.names = NameServer(self)
        # The daemon does not keep its router as a node: it needs another.
        self.router, other = [Session(self, f'{address}:0', **DHT) for address in (INTERNET, NAMES)]
        other.session.add_dht_node((INTERNET, self.router.session.listen_port()))

    def daemon(self, interface, config=ALL):
        text = config.format(interface=interface, names=NAMES, router=self.router.endpoint)
        return Daemon(self, config=text, listen=('0.0.0.0:6881', '[::]:6881'), within=self.ways.within).start()

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

    def use_everything(self, daemon, address='10.78.0.2'):
        """Names, trackers of both kinds, peers both ways, the DHT and the local network, each of which has to work."""
        torrents = [self.film(MIB, f'film{i}.bin', seed=i) for i in (1, 2)]
        for torrent, tracker in zip(torrents, self.seed(*torrents)):
            self.read_magnet(daemon, torrent, tracker)
        self.assertIn(b'tracker\7example', self.names.names)
        wait_for(lambda: any(node['connected'] for node in daemon.ctl('dht')['nodes']), 30, lambda: daemon.ctl('dht'))
        leech = Session(self, f'{INTERNET}:0')
        leech.leech_magnet(torrents[0].magnet(), self.directory / 'leech').connect(f'{address}:6881')
        leech.wait_complete(30)
        neighbours = self.film(MIB, 'neighbours.bin', seed=3)
        Session(self, '10.78.0.1:0', enable_lsd=True).seed(neighbours)
        self.read_magnet(daemon, neighbours)

    def test_a_name_everything_goes_through_it(self):
        self.ways.connect()

        self.use_everything(self.daemon('tun0'))

        self.assertEqual(self.ways.sent('eth0'), 0)
        self.assertGreater(self.ways.sent('tun0'), 10)
        self.assertGreater(self.ways.sent('mapping'), 0)

    def test_an_address_everything_comes_from_it(self):
        self.ways.connect()
        self.ways.run('ip', 'addr', 'add', '10.78.0.3/24', 'dev', 'tun0')
        self.ways.run('nft', 'add', 'rule', 'inet', 'count', 'out', 'ip', 'saddr', '!=', '10.78.0.3', 'ip', 'protocol', '!=', 'igmp', 'oifname',
                      'tun0', 'counter', 'comment', '"others"')

        self.use_everything(self.daemon('10.78.0.3'), '10.78.0.3')

        self.assertEqual(self.ways.sent('eth0'), 0)
        self.assertGreater(self.ways.sent('tun0'), 10)
        self.assertEqual(self.ways.sent('others'), 0)

    def meet_over_ipv6(self, interface, config):
        """Over eth0 there is IPv6, too: to a tracker's other address, a router of the DHT, and a seed that a magnet link names."""
        self.ways.connect()
        self.ways.give_ipv6('eth0')
        self.names.ipv6 = True
        torrents = [self.film(MIB, f'film{i}.bin', seed=i) for i in (1, 2)]
        (tracker, _), seed = self.seed(torrents[0]), Session(self, f'[{INTERNET6}]:0')
        seed.seed(torrents[1])
        at = f'[{INTERNET6}]:{seed.session.listen_port()}'
        daemon = self.daemon(interface, config.replace('"{router}"', '"{router}", "' + at + '"'))
        daemon.add(torrents[1].magnet(at))
        self.read_magnet(daemon, torrents[0], tracker)
        return daemon, torrents[1]

    def test_nothing_goes_by_the_ipv6_of_another_interface(self):
        daemon, only_there = self.meet_over_ipv6('tun0', ALL)

        # Long enough for every family to be tried, and for another attempt: see the next.
        time.sleep(10)
        self.assertEqual(daemon.torrent(only_there)['size_bytes'], 0)
        self.assertEqual(self.ways.sent('eth0'), 0)

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

        self.assertEqual(self.ways.sent('eth0'), 0)
        self.assertEqual(self.ways.sent('past'), 0)
        self.assertGreater(self.ways.sent('tun0'), 10)

    def test_it_goes_and_comes_back_as_another_device_with_another_address(self):
        self.ways.connect()
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
        self.assertEqual(self.ways.sent('eth0'), 0)

    def test_what_is_not_there_at_the_start_is_waited_for(self):
        torrent = self.film(MIB)
        tracker, _ = self.seed(torrent)
        daemon = self.daemon('tun0')
        path = daemon.add(torrent.magnet(trackers=[tracker]))
        self.assertIn('the interface is not there', daemon.tail(100000))

        self.ways.connect()

        wait_for(lambda: daemon.torrent(torrent)['size_bytes'], 90, daemon.tail)
        self.assert_mount_equals(path, torrent)
        self.assertEqual(self.ways.sent('eth0'), 0)


if __name__ == '__main__':
    lab.main()
