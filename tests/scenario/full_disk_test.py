"""A full disk under the store: reads go on, the state says so, and it goes on by itself when there is space."""
import subprocess
import time

import lab
from lab import MIB, Daemon, Scenario, Session, needs_root, wait_for


@needs_root()
class FullDisk(Scenario):
    def test_streaming_goes_on_and_recovers_within_five_seconds_of_space(self):
        store = self.directory / 'small'
        store.mkdir()
        if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=40m', 'small', str(store)], capture_output=True).returncode != 0:
            self.skipTest('no tmpfs can be mounted')
        self.addCleanup(subprocess.run, ['umount', '-l', str(store)])
        torrent = self.film(100 * MIB, piece_bytes=MIB)
        seed = Session(self).seed(torrent)
        daemon = Daemon(self, store=store / 'store', config='cache:\n  memory: 32M\n').start()
        path = daemon.add(torrent.magnet(seed.endpoint), '--wait')

        self.assert_mount_equals(path, torrent)

        status = daemon.torrent(torrent)
        self.assertEqual(status['state'], 'error', status)
        self.assertRegex(status['reason'], 'space|full')
        with self.subTest('what is stored is read again'):
            self.assertEqual(lab.sha256(path / torrent.name), lab.sha256(torrent.content))

        begin = time.monotonic()
        subprocess.run(['mount', '-o', 'remount,size=300m', str(store)], check=True)
        wait_for(lambda: daemon.torrent(torrent)['state'] != 'error', 10, lambda: daemon.torrent(torrent))
        self.assertLess(time.monotonic() - begin, 5)
        daemon.ctl('download', torrent.hash)
        daemon.wait_state(torrent, 'seeding')
        self.assert_mount_equals(path, torrent)
        daemon.stop()
        daemon.start()
        self.assertEqual(daemon.torrent(torrent)['have_pieces'], 100)


if __name__ == '__main__':
    lab.main()
