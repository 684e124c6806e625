"""An internet, a router between networks of one computer each, with a tracker, for houses to be connected to."""
import urllib.parse

from lab import needs, needs_root, wait_for
from neighbours import Neighbours
from networks import Internet
from player import Player
from tracker import Tracker


@needs_root()
@needs('ip', 'nsenter', 'nft')
class Nat(Neighbours):
    def setUp(self):
        super().setUp()
        self.internet = Internet(self)
        self.tracker = Tracker.on(self, self.internet.computer())
        self.magnet = self.bare + '&tr=' + urllib.parse.quote(self.tracker.url, safe='')

    def announced(self, seed):
        """A libtorrent that seeds the film and tells the tracker."""
        seed.seed(self.torrent)
        seed.torrent.replace_trackers([{'url': self.tracker.url, 'tier': 0}])
        seed.torrent.force_reannounce()
        return seed

    def wait_announced(self, endpoint):
        wait_for(lambda: endpoint in self.tracker.endpoints(self.torrent), 30, lambda: f'{endpoint} in {self.tracker.book}')

    def peers(self, daemon):
        return {peer['endpoint']: peer for peer in daemon.ctl('peers', self.torrent.hash)['peers']}

    def assert_plays(self, daemon, path):
        """With whom it was connected meanwhile: {address: source}."""
        film, seen = path / self.torrent.name, {}

        def look():
            seen.update((endpoint.rpartition(':')[0], peer['source']) for endpoint, peer in self.peers(daemon).items())

        wait_for(lambda: (look(), film.exists())[1], 100,
                 lambda: f'the film is in the mount: {daemon.torrent(self.torrent)} {self.tracker.book} {daemon.tail()}')
        player = Player(self, film, self.torrent)
        wait_for(lambda: (look(), player.has_ended())[1], 150, lambda: f'the film is over: {daemon.torrent(self.torrent)}')
        player.assert_shown()
        return seen
