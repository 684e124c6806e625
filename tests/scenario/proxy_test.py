"""Everything goes through a proxy: real ones, in a network where everybody could be reached past them.

The daemon, the proxy and this process (seeds, trackers, the DHT) are computers of their own on one bridge. A firewall on the daemon's
counts what leaves for anywhere but the proxy.
"""
import json
import subprocess
import time

import lab
from lab import MIB, Daemon, Host, OpenTracker, Process, Reader, Scenario, Session, answers, needs, needs_root, wait_for

OURS, PROXY = '10.77.0.1', '10.77.0.3'
# Names that nobody but the proxy knows.
HOSTS = f'127.0.0.1 localhost\n{OURS} tracker.far\n{OURS} router.far\n'
LABORATORY = {'enable_dht': True, 'dht_restrict_routing_ips': False, 'dht_restrict_search_ips': False, 'dht_enforce_node_id': False,
              'dht_prefer_verified_node_ids': False, 'dht_ignore_dark_internet': False}
DANTE = f'''
logoutput: stderr
internal: {PROXY} port = 1080
external: {PROXY}
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 command: connect udpassociate }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 command: udpreply }}
'''
TINYPROXY = f'User nobody\nGroup nogroup\nPort 3128\nListen {PROXY}\nTimeout 600\nMaxClients 100\nAllow 0.0.0.0/0\n'
WATCH = f'''
table inet watch {{
    counter strays {{ }}
    chain out {{
        type filter hook output priority 0; policy accept;
        oifname "lo" accept
        ip daddr {PROXY} accept
        icmpv6 type {{ nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report }} accept
        counter name strays
    }}
}}
'''


@needs_root()
@needs('nft', 'unshare', 'opentracker')
class Proxies(Scenario):
    def setUp(self):
        super().setUp()
        self.home, self.far = Host(self, 2), Host(self, 3)
        subprocess.run(self.home.within + ['nft', '-f', '-'], input=WATCH, text=True, check=True)
        (self.directory / 'hosts').write_text(HOSTS)
        self.torrent = self.film()

    def proxy(self, port, *words):
        """Runs on its own computer, with its own names."""
        names = f'mount --bind {self.directory / "hosts"} /etc/hosts && exec "$@"'
        process = Process(self, self.far.within + ['unshare', '--mount', 'sh', '-c', names, 'sh', *words], 'proxy')
        wait_for(lambda: answers(PROXY, port), 10, lambda: 'the proxy listens: ' + process.tail())
        return process

    def dante(self):
        (self.directory / 'danted.conf').write_text(DANTE)
        self.proxy(1080, 'danted', '-f', self.directory / 'danted.conf', '-p', self.directory / 'danted.pid')
        return f'socks5://{PROXY}:1080'

    def tinyproxy(self):
        (self.directory / 'tinyproxy.conf').write_text(TINYPROXY)
        self.proxy(3128, 'tinyproxy', '-d', '-c', self.directory / 'tinyproxy.conf')
        return f'http://{PROXY}:3128'

    def microsocks(self):
        return self.proxy(1080, 'microsocks', '-i', PROXY, '-p', '1080', '-u', 'anna', '-P', 'secret')

    def daemon(self, proxy, more=''):
        config = 'network:\n  test_network: true\n' + (f'  proxy: {proxy}\n' if proxy else '') + more
        return Daemon(self, config=config, within=self.home.within).start()

    def strays(self):
        """Packets that left for anybody but the proxy."""
        done = subprocess.run(self.home.within + ['nft', '-j', 'list', 'counters'], capture_output=True, text=True, check=True)
        return next(each['counter']['packets'] for each in json.loads(done.stdout)['nftables'] if 'counter' in each)

    def announced_seed(self):
        tracker = OpenTracker(self, self.torrent.hash, host=OURS)
        seed = Session(self, f'{OURS}:0').seed(self.torrent)
        seed.torrent.replace_trackers([{'url': tracker.http, 'tier': 0}])
        seed.torrent.force_reannounce()
        return tracker

    def assert_read_through(self, proxy, scheme):
        """A bare magnet with a tracker whose name only the proxy knows."""
        tracker = self.announced_seed()
        daemon = self.daemon(proxy)

        path = daemon.add(self.torrent.magnet(trackers=[f'{scheme}://tracker.far:{tracker.port}/announce']), '--wait')

        self.assert_mount_equals(path, self.torrent)
        self.assertEqual(self.strays(), 0)
        status = daemon.ctl('status')
        self.assertEqual((status['listening'], status['incoming_seen']), ([], False))
        self.assertIn(status['proxy'], (f'socks5://{PROXY}:1080', f'http://{PROXY}:3128'))
        return daemon

    def test_without_a_proxy_the_firewall_sees_what_leaves(self):
        tracker = self.announced_seed()
        daemon = self.daemon('')

        path = daemon.add(self.torrent.magnet(trackers=[tracker.http]), '--wait')

        self.assert_mount_equals(path, self.torrent)
        self.assertGreater(self.strays(), 0)

    @needs('danted')
    def test_an_http_tracker_and_peers_through_dante(self):
        self.assert_read_through(self.dante(), 'http')

    @needs('danted')
    def test_a_udp_tracker_through_dante(self):
        self.assert_read_through(self.dante(), 'udp')

    @needs('danted')
    def test_nothing_but_the_dht_through_dante(self):
        nodes = [Session(self, f'{OURS}:0', **LABORATORY) for _ in range(5)]
        for node in nodes[1:]:
            node.session.add_dht_node((OURS, nodes[0].session.listen_port()))
        wait_for(lambda: all(node.session.status().dht_nodes > 0 for node in nodes), 30, 'nodes know each other')
        seed = nodes[3].seed(self.torrent)
        daemon = self.daemon(self.dante(), f'  dht_routers: ["router.far:{nodes[0].session.listen_port()}"]\n')

        path = daemon.add(self.torrent.magnet())
        searched = [0.0]

        def has_metadata():
            if time.monotonic() - searched[0] >= 3:  # by itself it announces once in a quarter of an hour, perhaps too early
                searched[0] = time.monotonic()
                seed.torrent.force_dht_announce()
            return daemon.torrent(self.torrent)['size_bytes']

        wait_for(has_metadata, 100, lambda: f'metadata: {daemon.ctl("dht")}')
        self.assertEqual([peer['source'] for peer in daemon.ctl('peers', self.torrent.hash)['peers']], ['dht'])
        self.assert_mount_equals(path, self.torrent)
        self.assertEqual(self.strays(), 0)

    @needs('tinyproxy')
    def test_an_http_tracker_and_peers_through_tinyproxy(self):
        daemon = self.assert_read_through(self.tinyproxy(), 'http')

        self.assertEqual(daemon.ctl('dht')['nodes'], [])
        self.assertEqual(daemon.run('dht').stdout,
                         f'the DHT is off: the proxy http://{PROXY}:3128 relays no datagrams, as HTTP carries no UDP\n')
        self.assertEqual(daemon.log.read_text().count('relays no datagrams'), 1)

    @needs('microsocks')
    def test_an_http_tracker_and_peers_through_microsocks_with_a_login(self):
        self.microsocks()

        daemon = self.assert_read_through(f'socks5://anna:secret@{PROXY}:1080', 'http')

        self.assertNotIn('secret', daemon.log.read_text() + json.dumps(daemon.ctl('status')) + daemon.run('status').stdout)

    @needs('microsocks')
    def test_a_wrong_password_is_said_and_nothing_goes_past_the_proxy(self):
        self.microsocks()
        tracker = self.announced_seed()
        daemon = self.daemon(f'socks5://anna:wrong@{PROXY}:1080')

        daemon.add(self.torrent.magnet(trackers=[f'http://{OURS}:{tracker.port}/announce']))

        message = wait_for(lambda: daemon.ctl('trackers', self.torrent.hash)['trackers'][0]['message'], 10, 'an error')
        self.assertIn('does not accept the user and password', message)
        self.assertEqual(self.strays(), 0)
        self.assertNotIn('wrong', daemon.log.read_text())

    @needs('microsocks')
    def test_a_proxy_without_datagrams_says_so_of_udp_trackers(self):
        self.microsocks()
        daemon = self.daemon(f'socks5://anna:secret@{PROXY}:1080')

        daemon.add(self.torrent.magnet(trackers=['udp://tracker.far:6969/announce']))

        wait_for(lambda: 'refused to relay datagrams' in daemon.ctl('trackers', self.torrent.hash)['trackers'][0]['message'], 30,
                 lambda: daemon.ctl('trackers', self.torrent.hash))
        self.assertEqual(daemon.log.read_text().count('no datagrams through the proxy'), 1)
        self.assertEqual(self.strays(), 0)

    @needs('microsocks')
    def test_while_the_proxy_is_away_nothing_leaves_and_reads_wait(self):
        proxy, tracker = self.microsocks(), self.announced_seed()
        daemon = self.daemon(f'socks5://anna:secret@{PROXY}:1080')
        path = daemon.add(self.torrent.magnet(trackers=[f'http://tracker.far:{tracker.port}/announce']), '--wait') / self.torrent.name
        proxy.end()

        reader = Reader(self, path, 4 * MIB)
        self.wait_blocked(daemon, self.torrent)
        time.sleep(5)
        self.assertIsNone(reader.process.poll())
        self.assertEqual(self.strays(), 0)
        self.microsocks()

        with open(self.torrent.content, 'rb') as original:
            original.seek(4 * MIB)
            self.assertEqual(reader.result(50), original.read(65536))
        self.assertEqual(self.strays(), 0)


if __name__ == '__main__':
    lab.main()
