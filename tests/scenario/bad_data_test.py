"""A peer that sends wrong bytes next to an honest one: what is read is right, the liar is banned, the honest one is not."""
import pathlib
import random

import lab
from lab import MIB, Daemon, Scenario, Session


class BadData(Scenario):
    def liar(self, torrent, fifth):
        """Sends one wrong byte in every fifth piece or so."""
        spoiled = self.directory / 'spoiled'
        spoiled.mkdir()
        content = bytearray(pathlib.Path(torrent.content).read_bytes())
        piece_bytes = torrent.info.piece_length()
        for piece in random.Random(7).sample(range(torrent.info.num_pieces()), torrent.info.num_pieces() // fifth):
            content[piece * piece_bytes + 1234] ^= 255
        (spoiled / torrent.name).write_bytes(content)
        # Unless told otherwise libtorrent checks what it sends for the first time.
        return Session(self, disable_hash_checks=True).seed(torrent, spoiled)

    def test_a_liar_beside_an_honest_peer_is_found_and_banned(self):
        torrent = self.film(64 * MIB)
        honest, liar = Session(self, upload_rate_limit=8 * MIB).seed(torrent), self.liar(torrent, 5)
        daemon = Daemon(self).start()
        path = daemon.add(torrent.path)
        daemon.ctl('connect', torrent.hash, liar.endpoint)
        daemon.ctl('connect', torrent.hash, honest.endpoint)

        self.assert_mount_equals(path, torrent)

        daemon.ctl('download', torrent.hash)
        daemon.wait_state(torrent, 'seeding')
        log = daemon.log.read_text(errors='replace')
        reasons = [line for line in log.splitlines() if 'peer left' in line]
        self.assertTrue([line for line in reasons if liar.endpoint in line and 'everything' not in line], reasons)
        honest_left = [line for line in reasons if honest.endpoint in line]
        self.assertTrue(all('both sides have everything' in line or 'closed by the peer' in line for line in honest_left), honest_left)
        self.assertGreater(daemon.torrent(torrent)['wasted_bytes'], 0)

    def test_what_only_a_liar_has_is_never_served(self):
        torrent = self.film(MIB, piece_bytes=64 * 1024)
        liar = self.liar(torrent, 1)
        daemon = Daemon(self, config='read:\n  timeout: 2s\n').start()
        path = daemon.add(torrent.path)
        daemon.ctl('connect', torrent.hash, liar.endpoint)

        reader = lab.Reader(self, path / torrent.name, 0, 65536)

        self.assertEqual(reader.result(8), lab.EIO)
        self.assertEqual(daemon.torrent(torrent)['have_pieces'], 0)


if __name__ == '__main__':
    lab.main()
