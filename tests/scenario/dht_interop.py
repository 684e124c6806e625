"""Other people's clients and we find each other by a bare info-hash, with the DHT and nothing else: what these scenarios share.

Whoever searches last finds the other: a seed of theirs that has announced itself is found by us (by its source in `peers`; it searches
again only after minutes), and a client of theirs that comes when we have announced ourselves finds us (it comes in). libtorrent's part is
in dht_test and found_test, npm's in dht_npm_test.
"""
import lab
from interop import Interop
from lab import lt, wait_for
from neighbours import Every
from networks import PUBLIC4

NUMBERS = range(20, 32)  # transmission trusts no DHT of fewer than nine


class ByTheDht(Interop):
    NETWORK = PUBLIC4.format(0)
    SIZE = lab.MIB

    def setUp(self):
        super().setUp()
        self.others = self.lan.computer(*NUMBERS)
        self.addresses = [self.lan.host(n) for n in NUMBERS]
        self.dht = self.nodes(self.others, self.addresses)
        self.ways = {'dht': True, 'more': f'  dht_routers: ["{self.others.endpoint()}"]\n'}

    def wait_announced(self, torrent, endpoint, what):
        """The DHT knows who has it, as one of its nodes hears."""
        asker, heard = self.dht[-1].session, set()
        asker.apply_settings({'alert_mask': int(lt.alert.category_t.dht_operation_notification)})
        ask = Every(1, lambda: asker.dht_get_peers(lt.sha1_hash(bytes.fromhex(torrent.hash))))

        def look():
            ask()
            for alert in asker.pop_alerts():
                if isinstance(alert, lt.dht_get_peers_reply_alert):
                    heard.update(f'{host}:{port}' for host, port in alert.peers())
            return endpoint in heard

        wait_for(look, 90, lambda: f'{endpoint} is announced: {heard} {what()}')

    def assert_found_by_us(self, torrent, daemon):
        """By the DHT; and it has not come to us first."""
        path, seen = daemon.add('magnet:?xt=urn:btih:' + torrent.hash), set()
        self.torrent = torrent

        def look():
            seen.update(self.sources(daemon))
            return daemon.torrent(torrent)['size_bytes']

        wait_for(look, 60, lambda: f'the metadata: {daemon.torrent(torrent)} {daemon.tail()}')
        wait_for(lambda: (look(), seen)[1], 10, lambda: f'somebody is there: {daemon.torrent(torrent)}')
        self.assert_mount_equals(path, torrent)
        look()
        self.assertEqual(seen, {'dht'})
