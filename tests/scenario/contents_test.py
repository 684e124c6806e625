"""Torrents of many files: odd names, pad files, files of no bytes."""
import hashlib
import os
import random

import lab
from lab import MIB, Daemon, Scenario, Session, make_torrent, write_random


class Contents(Scenario):
    def mounted(self, torrent):
        seed = Session(self).seed(torrent)
        daemon = Daemon(self).start()
        path = daemon.add(torrent.path)
        daemon.ctl('connect', torrent.hash, seed.endpoint)
        return daemon, path

    def test_odd_names_are_shown_and_read(self):
        names = [b'a b.txt', b"it's.bin", b'quo"te', b'semi;colon & more', 'ünïcödé – 日本語.mkv'.encode(), b'.hidden', b'dir one/deep/er/f',
                 b'dir one/%41$(x)', b'n' * 200 + b'.bin', b'-rf', 'emoji 🎬.mp4'.encode()]
        # What no file can be called, or what would lead out of the directory, is shown under another name.
        strange = [b'tab\tname', b'back\\slash', b'../../outside', b'./dot', b'n' * 300 + b'.bin', b'bad utf \xff\xfe.bin', b'new\nline', b'same', b'same',
                   b'file/below', b'file']
        rng = random.Random(5)
        contents = [rng.randbytes(10_000 + 7_777 * n) for n in range(len(names + strange))]
        whole, piece_bytes = b''.join(contents), 16 * 1024
        info = {'name': 'odd ones (2026) [x]', 'piece length': piece_bytes,
                'files': [{'length': len(c), 'path': n.split(b'/')} for n, c in zip(names + strange, contents)],
                'pieces': b''.join(hashlib.sha1(whole[i:i + piece_bytes]).digest() for i in range(0, len(whole), piece_bytes))}
        data = self.directory / 'data'
        data.mkdir()
        (data / 'odd.torrent').write_bytes(lab.lt.bencode({'info': info}))
        torrent = lab.Torrent(data / 'odd.torrent', data)
        for n, content in enumerate(contents):  # where libtorrent, which has rules of its own, looks for them
            where = data / torrent.info.files().file_path(n)
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_bytes(content)
        daemon, path = self.mounted(torrent)

        found = lab.tree(path)

        self.assertEqual(sorted(found.values()), sorted(hashlib.sha256(c).hexdigest() for c in contents))
        for name, content in zip(names, contents):
            self.assertEqual(found.get(name), hashlib.sha256(content).hexdigest(), name)
        self.assertEqual(len(daemon.ctl('files', torrent.hash)['files']), len(contents))

    def test_pad_files_are_hidden_and_what_they_pad_is_read(self):
        top = self.directory / 'data' / 'padded'
        for seed, (name, size) in enumerate({'a.bin': 300_001, 'b.bin': 1, 'sub/c.bin': 700_000, 'd.bin': 65_536}.items()):
            write_random(top / name, size, seed)
        torrent = make_torrent(top, 64 * 1024, pad=True)
        self.assertGreater(torrent.info.num_files(), 4)
        daemon, path = self.mounted(torrent)

        self.assert_mount_equals(path, torrent)

        self.assertEqual(sorted(os.listdir(path)), ['a.bin', 'b.bin', 'd.bin', 'sub'])
        daemon.ctl('download', torrent.hash)
        daemon.wait_state(torrent, 'seeding')

    def test_files_of_no_bytes_are_there_at_once(self):
        top = self.directory / 'data' / 'holes'
        for name in ('0 first', 'm/0 middle', 'z last'):
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_bytes(b'')
        write_random(top / 'm/full', 100_000)
        torrent = make_torrent(top, 16 * 1024)
        daemon = Daemon(self).start()
        path = daemon.add(torrent.path)

        self.assertEqual((path / '0 first').read_bytes(), b'')
        self.assertEqual((path / 'm/0 middle').read_bytes(), b'')
        seed = Session(self).seed(torrent)
        daemon.ctl('connect', torrent.hash, seed.endpoint)
        self.assert_mount_equals(path, torrent)

    def test_only_the_files_asked_for_are_downloaded(self):
        top = self.directory / 'data' / 'choice'
        for seed, name in enumerate(('one', 'two', 'three')):
            write_random(top / name, 2 * MIB, seed)
        torrent = make_torrent(top, 64 * 1024)
        daemon, path = self.mounted(torrent)

        daemon.ctl('download', torrent.hash, 'two')

        lab.wait_for(lambda: daemon.torrent(torrent)['wanted_have_bytes'] == 2 * MIB, 20, lambda: daemon.torrent(torrent))
        have = {f['path'].rpartition('/')[2]: f['have_bytes'] for f in daemon.ctl('files', torrent.hash)['files']}
        self.assertEqual(have['two'], 2 * MIB)
        self.assertLess(have['one'] + have['three'], 64 * 1024 * 2)
        self.assertEqual(lab.sha256(path / 'two'), lab.sha256(top / 'two'))

    def test_two_torrents_of_one_name_have_two_directories(self):
        first, second = self.film(MIB, seed=1), None
        second = make_torrent(write_random(self.directory / 'other' / 'film.bin', MIB, 2))
        seeds = [Session(self).seed(t) for t in (first, second)]
        daemon = Daemon(self).start()

        paths = [daemon.add(t.magnet(s.endpoint), '--wait') for t, s in zip((first, second), seeds)]

        self.assertEqual(paths[0].name, 'film.bin')
        self.assertEqual(paths[1].name, f'film.bin [{second.hash[:8]}]')
        for path, torrent in zip(paths, (first, second)):
            self.assert_mount_equals(path, torrent)


if __name__ == '__main__':
    lab.main()
