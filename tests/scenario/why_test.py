"""Why a reader waits, as rqfsctl and as the file itself tell it."""
import os

import lab
from lab import MIB, Daemon, Reader, Scenario, Session, wait_for

PIECE_BYTES = 256 * 1024
OFFSET = 3 * MIB
PIECE = OFFSET // PIECE_BYTES


class Why(Scenario):
    def setUp(self):
        super().setUp()
        self.torrent = self.film()
        self.daemon = Daemon(self).start()
        self.directory_path = self.daemon.add(self.torrent.path)
        self.path = self.directory_path / self.torrent.name

    def texts(self):
        """The same from both."""
        done = self.daemon.run('why', self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        return done.stdout, os.getxattr(self.path, 'user.rqfs.why').decode()

    def blocked(self):
        reader = Reader(self, self.path, OFFSET)
        self.wait_blocked(self.daemon, self.torrent)
        return reader

    def test_the_piece_that_no_peer_has_is_named(self):
        reader = self.blocked()

        for text in self.texts():
            self.assertIn(f'piece {PIECE}: 0 of 16 blocks here; no connected peer has it', text)
            self.assertIn(f'(process {reader.process.pid}, paced', text)
            self.assertIn('it fails with EIO after', text)
            self.assertIn('torrent: no peers yet', text)

    def test_the_peer_that_chokes_us_is_named(self):
        seed = Session(self, unchoke_slots_limit=0).seed(self.torrent)
        self.blocked()
        self.daemon.ctl('connect', self.torrent.hash, seed.endpoint)
        wait_for(lambda: self.daemon.ctl('why', self.path)['pieces'][0]['peers'] == 1, 10, lambda: self.texts()[0])

        for text in self.texts():
            self.assertIn(f'piece {PIECE}: 0 of 16 blocks here; 1 connected peer has it, none let us download', text)
            self.assertIn(f'had by {seed.endpoint} (chokes us)', text)

    def test_an_answered_read_waits_no_more(self):
        reader = self.blocked()
        seed = Session(self).seed(self.torrent)
        self.daemon.ctl('connect', self.torrent.hash, seed.endpoint)
        self.assertEqual(len(reader.result(10)), 65536)

        for text in self.texts():
            self.assertIn('no read waits: ', text)

    def test_json_carries_the_same(self):
        reader = self.blocked()

        why = self.daemon.ctl('why', self.path)

        self.assertEqual(why['file'], self.torrent.name)
        self.assertEqual(why['readers'][0]['process_id'], reader.process.pid)
        self.assertEqual(why['readers'][0]['reads'][0]['pieces'][0], PIECE)
        self.assertEqual(why['pieces'][0]['piece'], PIECE)
        self.assertIn(f'piece {PIECE}', why['text'])

    def test_what_is_no_file_is_said_in_one_sentence(self):
        for path, sentence in ((self.directory_path, 'is a directory: name one of the files inside'),
                               (self.daemon.mountpoint, 'is not a file of a torrent in the mount'),
                               (self.directory, 'is not a file of a torrent in the mount'),
                               (self.directory_path / 'nothing', 'No such file or directory')):
            done = self.daemon.run('why', path)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stdout, '')
            self.assertTrue(done.stderr.startswith('rqfsctl: ') and done.stderr.endswith(sentence + '\n'), done.stderr)
            self.assertEqual(done.stderr.count('\n'), 1)

    def test_directories_have_no_such_attribute(self):
        self.assertNotIn('user.rqfs.why', os.listxattr(self.directory_path))
        self.assertIn('user.rqfs.why', os.listxattr(self.path))
        self.assertEqual(os.getxattr(self.path, 'user.rqfs.file'), b'0')


if __name__ == '__main__':
    lab.main()
