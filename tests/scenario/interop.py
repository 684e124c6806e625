"""Other people's clients on computers of their own, and what shows who found whom."""
import os

from lab import Aria2, Transmission, sha256, wait_for
from neighbours import DIALS_NOBODY, Neighbours
from networks import Lan


class Interop(Neighbours):
    def setUp(self):
        super().setUp()
        self.lan = Lan(self, self.NETWORK)
        self.ours, self.theirs, self.third = (self.lan.computer(n) for n in (2, 3, 4))

    def transmission(self, **settings):
        return Transmission(self, self.theirs.address, self.theirs.within, **settings)

    def aria2(self, source, directory, *words):
        directory = self.directory / directory
        directory.mkdir(exist_ok=True)
        aria2 = Aria2(self, source, directory, *words, within=self.theirs.within)
        with self.theirs.inside():
            aria2.wait_listening()
        return aria2

    def assert_read_from(self, daemon, path, *sources):
        """From somebody whom we know by one of these."""
        seen = set()
        wait_for(lambda: (seen.update(self.sources(daemon)), daemon.torrent(self.torrent)['size_bytes'])[1], 90,
                 lambda: f'the metadata: {daemon.torrent(self.torrent)} {daemon.tail()}')
        wait_for(lambda: (seen.update(self.sources(daemon)), seen & set(sources))[1], 30, lambda: f'known by {sources}: {seen}')
        self.assert_mount_equals(path, self.torrent)

    def assert_comes_in(self, daemon, whole, what):
        """Somebody dials us, and takes everything; we cannot dial meanwhile."""
        seen = set()
        self.ours.run('nft', '-f', '-', input=DIALS_NOBODY, text=True)
        wait_for(lambda: (seen.update(self.sources(daemon)), whole())[1], 180, lambda: f'it has everything: {what()}')
        self.ours.run('nft', 'delete', 'table', 'inet', 'dials_nobody')
        self.assertIn('incoming', seen)

    def has(self, path):
        return lambda: path.exists() and path.stat().st_size == os.path.getsize(self.torrent.content) and \
            sha256(path) == sha256(self.torrent.content)
