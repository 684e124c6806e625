"""Torrents come from other people's clients, and go to them, by torrent file and by magnet."""
import lab
from lab import MIB, Aria2, Daemon, OpenTracker, Scenario, Session, Transmission, needs, sha256, tree, wait_for


class FromOthers(Scenario):
    def test_a_torrent_file_comes_from_libtorrent(self):
        torrent = self.film(32 * MIB)
        seed = Session(self).seed(torrent)
        daemon = Daemon(self).start()

        path = daemon.add(torrent.path)
        daemon.ctl('connect', torrent.hash, seed.endpoint)

        self.assert_mount_equals(path, torrent)
        daemon.wait_state(torrent, 'seeding')

    def test_a_magnet_with_a_peer_comes_from_libtorrent(self):
        torrent = self.film()
        seed = Session(self).seed(torrent)
        daemon = Daemon(self).start()

        path = daemon.add(torrent.magnet(seed.endpoint), '--wait')

        self.assert_mount_equals(path, torrent)

    @needs('transmission-daemon', 'transmission-remote')
    def test_a_torrent_file_comes_from_transmission(self):
        torrent = self.film()
        seed = Transmission(self)
        seed.seed(torrent)
        daemon = Daemon(self).start()

        path = daemon.add(torrent.path)
        daemon.ctl('connect', torrent.hash, seed.endpoint)

        self.assert_mount_equals(path, torrent)

    @needs('transmission-daemon', 'transmission-remote')
    def test_a_magnet_comes_from_transmission(self):
        torrent = self.film()
        seed = Transmission(self)
        seed.seed(torrent)
        daemon = Daemon(self).start()

        path = daemon.add(torrent.magnet(seed.endpoint), '--wait')

        self.assert_mount_equals(path, torrent)

    @needs('aria2c')
    def test_a_torrent_file_comes_from_aria2(self):
        torrent = self.film()
        seed = Aria2(self, torrent.path, torrent.data, '--check-integrity=true')
        seed.wait_listening()
        daemon = Daemon(self).start()

        path = daemon.add(torrent.path)
        daemon.ctl('connect', torrent.hash, seed.endpoint)

        self.assert_mount_equals(path, torrent)

    @needs('aria2c', 'opentracker')
    def test_a_magnet_with_a_tracker_comes_from_aria2(self):
        torrent = self.film()
        tracker = OpenTracker(self, torrent.hash)
        seed = Aria2(self, torrent.path, torrent.data, '--check-integrity=true', '--bt-tracker=' + tracker.http)
        seed.wait_listening()
        daemon = Daemon(self).start()

        path = daemon.add(torrent.magnet(trackers=[tracker.http]), '--wait')

        self.assert_mount_equals(path, torrent)


class ToOthers(Scenario):
    """The daemon has everything, read once through its mount, and its first seed is gone."""

    def complete(self, torrent):
        seed = Session(self).seed(torrent)
        daemon = Daemon(self).start()
        daemon.add(torrent.magnet(seed.endpoint), '--wait', '--download')
        daemon.wait_state(torrent, 'seeding')
        seed.end()
        return daemon

    def setUp(self):
        super().setUp()
        self.torrent = self.film()
        self.daemon = self.complete(self.torrent)
        self.got = self.directory / 'got'
        self.got.mkdir()

    def assert_got(self, directory):
        self.assertEqual(sha256(directory / self.torrent.name), sha256(self.torrent.content))

    def test_a_torrent_file_goes_to_libtorrent(self):
        leech = Session(self).leech(self.torrent, self.got).connect(self.daemon.endpoint())
        leech.wait_complete()
        self.assert_got(self.got)

    def test_a_magnet_goes_to_libtorrent(self):
        leech = Session(self).leech_magnet(self.torrent.magnet(self.daemon.endpoint()), self.got)
        leech.wait_complete()
        self.assert_got(self.got)

    def test_what_it_gives_to_libtorrent_when_it_dials_is_the_same(self):
        leech = Session(self).leech(self.torrent, self.got)
        self.daemon.ctl('connect', self.torrent.hash, leech.endpoint)
        leech.wait_complete()
        self.assert_got(self.got)

    @needs('transmission-daemon', 'transmission-remote')
    def test_a_torrent_file_goes_to_transmission(self):
        leech = Transmission(self)
        leech.leech(self.torrent.path)
        self.daemon.ctl('connect', self.torrent.hash, leech.endpoint)
        leech.wait_complete()
        self.assert_got(leech.downloads)

    @needs('transmission-daemon', 'transmission-remote')
    def test_a_magnet_goes_to_transmission(self):
        leech = Transmission(self)
        leech.leech(self.torrent.magnet())
        self.daemon.ctl('connect', self.torrent.hash, leech.endpoint)
        # Transmission leaves everybody when it has the metadata, and starts again.
        wait_for(lambda: 'Total size: 8.39 MB' in leech.details(), 15, leech.details)
        wait_for(lambda: not self.daemon.torrent(self.torrent)['peers_connected'], 10, 'Transmission has left')
        self.daemon.ctl('connect', self.torrent.hash, leech.endpoint)
        leech.wait_complete()
        self.assert_got(leech.downloads)

    @needs('aria2c')
    def test_a_torrent_file_goes_to_aria2(self):
        leech = Aria2(self, self.torrent.path, self.got)
        leech.wait_listening()
        self.daemon.ctl('connect', self.torrent.hash, leech.endpoint)
        leech.wait_complete(self.got / self.torrent.name, self.torrent)

    @needs('aria2c', 'opentracker')
    def test_a_magnet_with_a_tracker_goes_to_aria2(self):
        tracker = OpenTracker(self, self.torrent.hash)
        self.daemon.add(self.torrent.magnet(trackers=[tracker.udp]))
        wait_for(lambda: self.daemon.ctl('trackers', self.torrent.hash)['trackers'][0]['state'] == 'working', 10,
                 lambda: self.daemon.ctl('trackers', self.torrent.hash))
        leech = Aria2(self, self.torrent.magnet(trackers=[tracker.http]), self.got)
        leech.wait_complete(self.got / self.torrent.name, self.torrent)


class AmongEachOther(Scenario):
    def test_three_leeches_at_once_get_everything_from_one_daemon(self):
        torrent = self.film(32 * MIB)
        seed = Session(self).seed(torrent)
        daemon = Daemon(self).start()
        daemon.add(torrent.magnet(seed.endpoint), '--wait', '--download')
        daemon.wait_state(torrent, 'seeding')
        seed.end()
        directories = [self.directory / f'leech{n}' for n in range(3)]

        leeches = [Session(self).leech(torrent, d).connect(daemon.endpoint()) for d in directories]

        for leech, directory in zip(leeches, directories):
            leech.wait_complete()
            self.assertEqual(tree(directory), {torrent.name.encode(): sha256(torrent.content)})
        self.assertGreaterEqual(daemon.torrent(torrent)['uploaded_bytes'], 3 * 32 * MIB)

    def test_one_daemon_gets_everything_from_another(self):
        torrent = self.film(16 * MIB)
        seed = Session(self).seed(torrent)
        first, second = Daemon(self, 'first').start(), Daemon(self, 'second').start()
        first.add(torrent.magnet(seed.endpoint), '--wait', '--download')
        first.wait_state(torrent, 'seeding')
        seed.end()

        path = second.add(torrent.magnet(first.endpoint()), '--wait')

        self.assert_mount_equals(path, torrent)


if __name__ == '__main__':
    lab.main()
