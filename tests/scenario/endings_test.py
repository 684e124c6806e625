"""However the daemon is ended, it ends in order within 3 seconds, readers blocked or not."""
import signal
import subprocess
import time

import lab
from lab import MIB, Daemon, Reader, Scenario, Session, wait_for


class Endings(Scenario):
    def setUp(self):
        super().setUp()
        self.torrent = self.film()
        self.daemon = Daemon(self).start()
        self.path = self.daemon.add(self.torrent.path)

    def blocked(self):
        readers = [Reader(self, self.path / self.torrent.name, n * MIB) for n in range(3)]
        self.wait_blocked(self.daemon, self.torrent, 3)
        return readers

    def assert_ended(self, begin, readers=()):
        self.assertEqual(self.daemon.process.wait(10), 0, self.daemon.tail())
        self.assertLess(time.monotonic() - begin, lab.STOP_SECONDS)
        self.assertFalse(self.daemon.is_mounted())
        self.assertFalse(self.daemon.socket.exists())
        for reader in readers:
            self.assertIsInstance(reader.result(5), int)

    def unmount(self, *options):
        return subprocess.run(['fusermount3', *options, str(self.daemon.mountpoint)], capture_output=True, text=True, timeout=10)

    def test_sigterm_with_blocked_readers(self):
        readers, begin = self.blocked(), time.monotonic()
        self.daemon.process.send_signal(signal.SIGTERM)
        self.assert_ended(begin, readers)

    def test_stop_with_blocked_readers(self):
        readers, begin = self.blocked(), time.monotonic()
        self.daemon.ctl('stop')
        self.assert_ended(begin, readers)

    def test_lazy_unmount_with_blocked_readers(self):
        readers, begin = self.blocked(), time.monotonic()
        self.assertEqual(self.unmount('-uz').returncode, 0)
        self.assert_ended(begin, readers)

    def test_plain_unmount_with_blocked_readers_is_busy_and_changes_nothing(self):
        readers = self.blocked()

        done = self.unmount('-u')

        self.assertNotEqual(done.returncode, 0)
        self.assertIn('busy', done.stderr)
        self.assertTrue(self.daemon.is_up())
        seed = Session(self).seed(self.torrent)
        self.daemon.ctl('connect', self.torrent.hash, seed.endpoint)
        for reader in readers:
            self.assertEqual(len(reader.result(10)), 65536)

    def test_plain_unmount_without_open_files(self):
        begin = time.monotonic()
        self.assertEqual(self.unmount('-u').returncode, 0)
        self.assert_ended(begin)

    def test_stop_in_the_middle_of_a_download_and_go_on_after_the_restart(self):
        seed = Session(self, upload_rate_limit=2 * MIB).seed(self.torrent)
        self.daemon.ctl('download', self.torrent.hash)
        self.daemon.ctl('connect', self.torrent.hash, seed.endpoint)
        wait_for(lambda: self.daemon.torrent(self.torrent)['have_pieces'] >= 8, 15, lambda: self.daemon.torrent(self.torrent))

        self.assertLess(self.daemon.stop(), lab.STOP_SECONDS)
        self.daemon.start()

        # It knows its peer and goes on at once, so what the seed gave is read after what is here.
        have = self.daemon.torrent(self.torrent)['have_bytes']
        given = seed.uploaded()
        self.assertGreaterEqual(have, 8 * 256 * 1024)
        self.daemon.ctl('connect', self.torrent.hash, seed.endpoint)
        self.daemon.wait_state(self.torrent, 'seeding')
        self.assert_mount_equals(self.path, self.torrent)
        self.assertLessEqual(seed.uploaded() - given, 8 * MIB - have + 256 * 1024)


if __name__ == '__main__':
    lab.main()
