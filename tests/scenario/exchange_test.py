"""Other people's clients tell us of a seed, and we tell them, by peer exchange and nothing else.

libtorrent both ways, and we telling transmission, are in discovery_test.
"""
import lab
from interop import Interop
from lab import needs, needs_root, wait_for
from networks import PUBLIC4
from tracker import Tracker


@needs_root()
@needs('ip', 'nsenter')
class ByPeerExchange(Interop):
    NETWORK = PUBLIC4.format(0)

    def stingy_seed(self):
        """It gives next to nothing before we have heard of it."""
        return self.quiet_seed(self.third, upload_rate_limit=1024)

    def assert_read_by_exchange(self, seed, endpoint):
        """A bare magnet, of which only this peer is known, and it knows the seed."""
        daemon = self.daemon(self.ours)
        wait_for(lambda: seed.status().num_peers == 1, 30, 'the relay and the seed know each other')
        path = daemon.add(self.bare)
        daemon.ctl('connect', self.torrent.hash, endpoint)
        wait_for(lambda: 'pex' in self.sources(daemon), 120, lambda: f'we are told: {daemon.tail()}')
        seed.session.apply_settings({'upload_rate_limit': 0})
        self.assert_read_from(daemon, path, 'pex')

    @needs('transmission-daemon', 'transmission-remote')
    def test_transmission_tells_us(self):
        seed, relay = self.stingy_seed(), self.transmission(**{'pex-enabled': True})
        relay.leech(self.torrent.path)
        seed.connect(relay.endpoint)

        self.assert_read_by_exchange(seed, relay.endpoint)

    @needs('aria2c')
    def test_aria2_tells_us(self):
        seed, tracker = self.stingy_seed(), Tracker.on(self, self.lan.computer(5))
        tracker.book[self.torrent.hash] = [(self.third.address, 6881)]  # aria2 tells only of those whom it has dialled itself
        relay = self.aria2(self.torrent.path, 'relay', '--enable-peer-exchange=true', '--bt-tracker=' + tracker.url)

        self.assert_read_by_exchange(seed, self.theirs.endpoint(relay.port))

    def hub(self):
        """A daemon that has nothing but the metadata, and knows a seed."""
        seed, daemon = self.session(self.third).seed(self.torrent), self.daemon(self.ours)
        daemon.add(self.torrent.path)
        daemon.ctl('connect', self.torrent.hash, self.third.endpoint())
        wait_for(lambda: self.sources(daemon), 30, 'we know the seed')
        return daemon, seed

    @needs('aria2c')
    def test_we_tell_aria2(self):
        daemon, _ = self.hub()
        leech = self.aria2(self.bare, 'got', '--enable-peer-exchange=true')

        daemon.ctl('connect', self.torrent.hash, self.theirs.endpoint(leech.port))

        wait_for(self.has(leech.directory / self.torrent.name), 90, leech.tail)
        self.assertEqual(daemon.torrent(self.torrent)['have_bytes'], 0)


if __name__ == '__main__':
    lab.main()
