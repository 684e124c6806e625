"""kill -9 and restarts: what was recorded, or is fully on the disk, is never fetched again."""
import os
import pathlib
import time

import lab
from lab import MIB, Daemon, Scenario, Session, wait_for


def sparse_film(path, size):
    """Made-up bytes, different in every block, quickly made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    block = lab.random.Random(3).randbytes(MIB)
    with open(path, 'wb') as out:
        for n in range(size // MIB):
            out.write(n.to_bytes(8, 'big') + block[8:])
    return path


class Crash(Scenario):
    def test_kill_9_in_the_middle_of_512_mib_and_no_complete_piece_is_fetched_again(self):
        size, piece_bytes = 512 * MIB, MIB
        torrent = lab.make_torrent(sparse_film(self.directory / 'data' / 'film.bin', size), piece_bytes)
        seed = Session(self).seed(torrent)
        daemon = Daemon(self).start()
        path = daemon.add(torrent.path)
        daemon.ctl('connect', torrent.hash, seed.endpoint)
        daemon.ctl('download', torrent.hash)
        wait_for(lambda: daemon.torrent(torrent)['have_bytes'] > size // 3, 60, lambda: daemon.torrent(torrent))

        daemon.kill9()
        given = wait_for(lambda: seed.status().num_peers == 0 and seed.uploaded(), 10, 'the seed has noticed')
        on_disk = self.complete_pieces(daemon, torrent, piece_bytes)
        self.assertGreater(on_disk, 0)
        begin = time.monotonic()
        daemon.start()
        self.assertLess(time.monotonic() - begin, 2)

        # Data that is not recorded is hashed, not fetched again; the peer and the download are remembered.
        daemon.wait_state(torrent, 'seeding', 60)
        self.assertLessEqual(daemon.ctl('stats')['received_wanted_bytes'], size - on_disk * piece_bytes)
        # And by the seed's word, which counts blocks that were asked for twice at the end, too.
        self.assertLess(seed.uploaded() - given, size - on_disk * piece_bytes + 4 * MIB)
        self.assert_mount_equals(path, torrent)

    def complete_pieces(self, daemon, torrent, piece_bytes):
        """How many pieces are fully in the store's file, recorded or not."""
        candidates = [os.path.join(folder, name) for folder, _, names in os.walk(daemon.store) for name in names]
        stored = max(candidates, key=os.path.getsize)
        count = 0
        with open(stored, 'rb') as ours, open(torrent.content, 'rb') as original:
            while piece := original.read(piece_bytes):
                count += ours.read(piece_bytes) == piece
        return count


class Restart(Scenario):
    def test_a_thousand_torrents_and_magnets_are_back_in_two_seconds(self):
        data = self.directory / 'data'
        daemon = Daemon(self, config='log:\n  level: info\n').start()
        kept = self.film(MIB)
        seed = Session(self).seed(kept)
        daemon.add(kept.magnet(seed.endpoint), '--wait', '--download')
        daemon.wait_state(kept, 'seeding')
        sources = []
        for n in range(700):
            document = lab.lt.bdecode(pathlib.Path(kept.path).read_bytes())
            document[b'info'][b'name'] = b'film %d.bin' % n
            path = data / f'{n}.torrent'
            path.write_bytes(lab.lt.bencode(document))
            sources.append(str(path))
        sources += [f'magnet:?xt=urn:btih:{n:040x}&dn=magnet%20{n}' for n in range(1, 300)]
        for first in range(0, len(sources), 100):
            daemon.ctl('add', *sources[first:first + 100], '--paused', seconds=60)
        before = daemon.ctl('list')['torrents']
        self.assertEqual(len(before), 1000)

        for end in (daemon.stop, daemon.kill9):
            end()
            begin = time.monotonic()
            daemon.start()
            after = daemon.ctl('list')['torrents']
            seconds = time.monotonic() - begin
            self.assertEqual(sorted((t['info_hash'], t['name'], t['directory'], t['have_bytes']) for t in after),
                             sorted((t['info_hash'], t['name'], t['directory'], t['have_bytes']) for t in before))
            self.assertEqual({t['state'] for t in after}, {'paused', 'seeding'})
            self.assertEqual(len(os.listdir(daemon.mountpoint)), 1000)
            self.assertLess(seconds, 2)
        self.assert_mount_equals(daemon.torrent(kept)['path'], kept)


if __name__ == '__main__':
    lab.main()
