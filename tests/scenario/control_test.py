"""What rqfsctl promises: pause, resume, remove, adding again, limits, exit statuses, one daemon a store."""
import os
import pathlib
import signal
import subprocess
import time

import lab
from lab import MIB, Daemon, Reader, Scenario, Session, needs, needs_root, wait_for


class PauseAndResume(Scenario):
    def test_a_paused_torrent_has_no_peers_and_a_resumed_one_goes_on(self):
        torrent = self.film(16 * MIB)
        seed = Session(self, upload_rate_limit=4 * MIB).seed(torrent)
        daemon = Daemon(self).start()
        path = daemon.add(torrent.magnet(seed.endpoint), '--download')
        wait_for(lambda: daemon.torrent(torrent)['have_pieces'] > 4, 20, lambda: daemon.torrent(torrent))

        daemon.ctl('pause', torrent.hash)

        daemon.wait_state(torrent, 'paused', 5)
        wait_for(lambda: not daemon.torrent(torrent)['peers_connected'], 5, 'no peers')
        with self.subTest('a read of what is missing fails at once, and of what is there goes on'):
            paused = daemon.torrent(torrent)
            self.assertLess(paused['have_pieces'], paused['pieces'])
            content = pathlib.Path(torrent.content).read_bytes()
            failed = 0
            for offset in range(0, 16 * MIB, 16 * MIB // paused['pieces']):
                reader = Reader(self, path / torrent.name, offset, 4096)
                result = reader.result(5)
                self.assertLess(reader.seconds, 1)
                if result == lab.EIO:
                    failed += 1
                else:
                    self.assertEqual(result, content[offset:offset + 4096])
            self.assertEqual(failed, paused['pieces'] - paused['have_pieces'])
        daemon.ctl('resume', torrent.hash)
        daemon.wait_state(torrent, 'seeding')
        self.assert_mount_equals(path, torrent)

    def test_a_paused_torrent_is_paused_after_a_restart(self):
        torrent = self.film(MIB)
        daemon = Daemon(self).start()
        daemon.add(torrent.path, '--paused')
        daemon.stop()
        daemon.start()
        self.assertEqual(daemon.torrent(torrent)['state'], 'paused')


class Remove(Scenario):
    def complete(self):
        torrent = self.film()
        seed = Session(self).seed(torrent)
        daemon = Daemon(self).start()
        path = daemon.add(torrent.magnet(seed.endpoint), '--wait', '--download')
        daemon.wait_state(torrent, 'seeding')
        return torrent, seed, daemon, path

    def stored(self, daemon):
        return sum(os.stat(os.path.join(folder, name)).st_blocks * 512 for folder, _, names in os.walk(daemon.store) for name in names)

    def test_removing_takes_the_directory_and_the_data(self):
        torrent, _, daemon, path = self.complete()
        wait_for(lambda: self.stored(daemon) >= 8 * MIB, 10, 'the data is stored')

        daemon.ctl('remove', torrent.hash)

        self.assertFalse(path.exists())
        self.assertEqual(daemon.ctl('list')['torrents'], [])
        wait_for(lambda: self.stored(daemon) < MIB, 5, lambda: f'the data is gone: {self.stored(daemon)}')

    def test_kept_data_is_found_again_and_not_fetched_again(self):
        torrent, seed, daemon, _ = self.complete()

        daemon.ctl('remove', torrent.hash, '--keep-data')
        given = seed.uploaded()
        path = daemon.add(torrent.path)
        daemon.ctl('connect', torrent.hash, seed.endpoint)

        daemon.wait_state(torrent, 'seeding')
        self.assert_mount_equals(path, torrent)
        self.assertEqual(seed.uploaded(), given)

    def test_a_removal_ends_a_blocked_read_at_once(self):
        torrent = self.film(MIB)
        daemon = Daemon(self).start()
        path = daemon.add(torrent.path)
        reader = Reader(self, path / torrent.name)
        self.wait_blocked(daemon, torrent)

        begin = time.monotonic()
        daemon.ctl('remove', torrent.hash)
        result = reader.result(10)

        self.assertIsInstance(result, int)
        self.assertLess(time.monotonic() - begin, 1.5)


class Reads(Scenario):
    def blocked_for(self, config, expected):
        torrent = self.film(MIB)
        daemon = Daemon(self, config='read:\n  timeout: 2s\n' + config).start()
        path = daemon.add(torrent.path)

        reader = Reader(self, path / torrent.name)

        self.assertEqual(reader.result(15), expected)
        self.assertGreater(reader.seconds, 1.8)
        self.assertLess(reader.seconds, 3.5)

    def test_a_read_without_peers_fails_after_the_read_timeout(self):
        self.blocked_for('', lab.EIO)

    def test_it_is_told_to_try_again_where_so_configured(self):
        self.blocked_for('  on_timeout: eagain\n', lab.EAGAIN)

    def test_a_killed_reader_is_gone_at_once(self):
        torrent = self.film(MIB)
        daemon = Daemon(self).start()
        path = daemon.add(torrent.path)
        reader = Reader(self, path / torrent.name)
        self.wait_blocked(daemon, torrent)

        reader.process.kill()
        reader.process.wait(2)

        wait_for(lambda: not daemon.torrent(torrent)['readers'], 3, lambda: daemon.torrent(torrent))

    def test_a_reader_that_waits_gets_the_data_when_a_peer_comes(self):
        torrent = self.film()
        daemon = Daemon(self).start()
        path = daemon.add(torrent.path)
        reader = Reader(self, path / torrent.name, 4 * MIB, 100_000)
        self.wait_blocked(daemon, torrent)

        seed = Session(self).seed(torrent)
        daemon.ctl('connect', torrent.hash, seed.endpoint)

        with open(torrent.content, 'rb') as original:
            original.seek(4 * MIB)
            self.assertEqual(reader.result(10), original.read(100_000))

    def test_listing_never_waits_for_the_network(self):
        torrent = self.film()
        daemon = Daemon(self).start()
        path = daemon.add(torrent.path)
        daemon.add('magnet:?xt=urn:btih:' + '7' * 40)
        readers = [Reader(self, path / torrent.name, n * MIB) for n in range(4)]
        self.wait_blocked(daemon, torrent, len(readers))

        begin = time.monotonic()
        subprocess.run(['ls', '-lR', str(daemon.mountpoint)], check=True, capture_output=True, timeout=10)
        os.statvfs(daemon.mountpoint)

        self.assertLess(time.monotonic() - begin, 1)


class Rates(Scenario):
    def assert_rate(self, bytes_done, rate, seconds=5):
        """Of what comes after the first second, so that no burst at the start counts."""
        wait_for(lambda: bytes_done() > rate, 15, lambda: f'the first second: {bytes_done()}')
        first, begin = bytes_done(), time.monotonic()
        time.sleep(seconds)  # what is measured is a rate
        measured = (bytes_done() - first) / (time.monotonic() - begin)
        self.assertGreater(measured, 0.8 * rate)
        self.assertLess(measured, 1.2 * rate)

    def test_the_download_limit_is_kept(self):
        torrent = self.film(32 * MIB)
        seed = Session(self).seed(torrent)
        daemon = Daemon(self, config='limits:\n  down: 2M\n').start()
        daemon.add(torrent.magnet(seed.endpoint), '--download')
        self.assert_rate(seed.uploaded, 2 * MIB)

    def test_the_upload_limit_is_kept(self):
        torrent = self.film(32 * MIB)
        seed = Session(self).seed(torrent)
        daemon = Daemon(self).start()
        daemon.add(torrent.magnet(seed.endpoint), '--wait', '--download')
        daemon.wait_state(torrent, 'seeding')
        seed.end()
        daemon.ctl('limit', '--up', '2M')
        leeches = [Session(self).leech(torrent, self.directory / f'leech{n}').connect(daemon.endpoint()) for n in range(2)]

        # The leeches hear of each other from the daemon and trade, which is not its upload.
        us = ('127.0.0.1', daemon.port())
        self.assert_rate(lambda: sum(p.total_download for l in leeches for p in l.torrent.get_peer_info() if p.ip == us), 2 * MIB)


class ExitStatuses(Scenario):
    def assert_status(self, status, *words):
        done = self.daemon.run(*words)
        self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        if status in (1, 3):
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        return done

    def test_exit_statuses_are_what_the_manual_says(self):
        torrent = self.film(MIB)
        self.daemon = Daemon(self)
        self.assert_status(3, 'list')
        self.daemon.start()
        added = self.assert_status(0, 'add', torrent.path)
        self.assertIn(torrent.hash, added.stdout)
        again = self.assert_status(0, 'add', torrent.magnet())
        self.assertEqual(again.stdout, added.stdout)
        for words in (['list'], ['status'], ['status', torrent.hash[:8]], ['status', torrent.name], ['files', torrent.hash],
                      ['peers', torrent.hash], ['trackers', torrent.hash], ['path', torrent.hash], ['magnet', torrent.hash],
                      ['status', self.daemon.mountpoint / torrent.name / torrent.name], ['verify', torrent.hash], ['limit', '--up', '1M'],
                      ['log', 'torrent=trace'], ['pause', torrent.hash], ['resume', torrent.hash]):
            self.assert_status(0, *words)
        for words in (['status', 'ffff'], ['remove', 'nothing'], ['add', '/nowhere.torrent'], ['add', 'magnet:?dn=x'],
                      ['download', torrent.hash, 'no-such-file'], ['add', self.daemon.log]):
            self.assert_status(1, *words)
        for words in (['fly'], ['limit', '--up', 'fast'], ['add'], ['--nonsense', 'list']):
            self.assert_status(2, *words)
        self.assert_status(0, 'stop')
        self.assert_status(3, 'list')

    def test_a_second_daemon_on_the_same_store_is_refused(self):
        first = Daemon(self, 'first').start()
        second = Daemon(self, 'second', store=first.store)
        second.spawn()

        self.assertEqual(second.process.wait(5), 1)

        self.assertRegex(second.tail(), r'(?m)^rqfs: .*store.*$')
        self.assertTrue(first.is_up())

    def test_a_port_in_use_is_an_error_that_names_it(self):
        first = Daemon(self, 'first').start()
        second = Daemon(self, 'second', listen=(first.endpoint(),))
        begin = time.monotonic()
        second.spawn()

        self.assertEqual(second.process.wait(5), 1)

        self.assertLess(time.monotonic() - begin, 2)
        self.assertIn(first.endpoint(), second.tail())


class Strangers(Scenario):
    ASK = ('import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.settimeout(5)\ns.connect(sys.argv[1])\n'
           'try:\n s.sendall(b"GET /v1/status HTTP/1.1\\r\\nHost: rqfs\\r\\n\\r\\n")\n print(len(s.recv(1)))\n'
           'except ConnectionError:\n print(0)\n')

    def ask(self, daemon, *as_whom):
        done = subprocess.run([*as_whom, '/usr/bin/python3', '-c', self.ASK, str(daemon.socket)], capture_output=True, text=True, timeout=20)
        return done.stdout.strip() or done.stderr

    @needs_root()
    @needs('setpriv')
    def test_another_user_gets_no_answer_even_where_the_socket_is_open_to_all(self):
        daemon = Daemon(self).start()
        for directory in (self.directory, daemon.directory):
            os.chmod(directory, 0o755)
        os.chmod(daemon.socket, 0o666)

        self.assertEqual(self.ask(daemon), '1')
        self.assertEqual(self.ask(daemon, 'setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'), '0')


class MountCommand(Scenario):
    # A machine of its own as far as rqfs sees: installed, with an empty store, and a mount that nobody else has. mount.fuse looks for
    # programs where mount(8) does.
    INSIDE = ('mount -t tmpfs none /var/lib && mount -t tmpfs none /run && mount -t tmpfs none /usr/local/bin && '
              'cp "$1/rqfs" "$1/rqfsctl" /usr/local/bin && mount -t fuse.rqfs none "$2" && mountpoint "$2" && /usr/local/bin/rqfsctl stop')

    @needs_root()
    @needs('unshare', 'mount.fuse3')
    def test_mount_8_mounts_it(self):
        mountpoint = self.directory / 'mnt'
        mountpoint.mkdir()

        done = subprocess.run(['unshare', '--mount', '--propagation', 'private', 'sh', '-c', self.INSIDE, 'sh', str(lab.BIN), str(mountpoint)],
                              capture_output=True, text=True, timeout=60)

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('is a mountpoint', done.stdout)


class Stuck(Scenario):
    def test_a_daemon_that_hangs_is_not_waited_for_for_ever_nor_is_its_mount(self):
        torrent = self.film()
        daemon = Daemon(self).start()
        path = daemon.add(torrent.path) / torrent.name
        base = [str(lab.BIN / 'rqfsctl'), '--socket', str(daemon.socket)]
        commands = (['status'], ['why', str(path)], ['status', str(path.parent)], ['announce', torrent.hash])

        daemon.process.send_signal(signal.SIGSTOP)
        try:
            begun = [subprocess.Popen(base + words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for words in commands]
            ended = [(process.communicate(timeout=90)[1], process.returncode) for process in begun]
        finally:
            daemon.process.send_signal(signal.SIGCONT)

        for said, status in ended:
            self.assertRegex(said, f'^rqfsctl: the daemon at {daemon.socket} does not answer: its process {daemon.process.pid} .*\n$')
            self.assertEqual(status, 3)
        self.assertEqual(daemon.run('status').returncode, 0)


if __name__ == '__main__':
    lab.main()
