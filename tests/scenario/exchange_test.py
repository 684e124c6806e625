"""Other people's clients tell us of a seed, and we tell them, by peer exchange and nothing else.

libtorrent both ways, and we telling transmission, are in discovery_test. aria2 tells others first when a minute is over: RQFS_SLOW=1.
"""
import os
import unittest

import lab
from interop import Interop
from lab import needs, needs_root, wait_for
from networks import PUBLIC4


@needs_root()
@needs('ip', 'nsenter')
class ByPeerExchange(Interop):
    NETWORK = PUBLIC4.format(0)

    def assert_read_by_exchange(self, endpoint):
        """A bare magnet, of which only this peer is known, and it knows a seed that gives nothing before we have heard of it."""
        seed, daemon = self.quiet_seed(self.third, upload_rate_limit=1024), self.daemon(self.ours)
        seed.connect(endpoint)
        wait_for(lambda: seed.status().num_peers == 1, 30, 'the seed knows the relay')
        path = daemon.add(self.bare)
        daemon.ctl('connect', self.torrent.hash, endpoint)
        wait_for(lambda: 'pex' in self.sources(daemon), 120, lambda: f'we are told: {daemon.tail()}')
        seed.session.apply_settings({'upload_rate_limit': 0})
        self.assert_read_from(daemon, path, 'pex')

    @needs('transmission-daemon', 'transmission-remote')
    def test_transmission_tells_us(self):
        relay = self.transmission(**{'pex-enabled': True})
        relay.leech(self.torrent.path)

        self.assert_read_by_exchange(relay.endpoint)

    @unittest.skipUnless('RQFS_SLOW' in os.environ, 'takes a minute, after which aria2 first tells of its peers (RQFS_SLOW=1)')
    @needs('aria2c')
    def test_aria2_tells_us(self):
        relay = self.aria2(self.torrent.path, 'relay', '--enable-peer-exchange=true')

        self.assert_read_by_exchange(self.theirs.endpoint(relay.port))

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
