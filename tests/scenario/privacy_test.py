"""Whom the user keeps away from, and what others learn of rqfs: lists of addresses as they change, and anonymity as seen on the wire."""
import os
import signal
import socket
import struct
import time

import lab
from lab import Daemon, Scenario, Session, wait_for
from tracker import Tracker

TAKEN = 60  # seconds; 15 are promised, of a machine that has time


class Lists(Scenario):
    def setUp(self):
        super().setUp()
        self.list = self.directory / 'own.list'
        self.torrent = self.film()

    def daemon(self, more=''):
        return Daemon(self, config=f'network:\n  test_network: true\n  dht: false\n  lsd: false\n  ip_filter: [{self.list}]\n{more}')

    def replace(self, text):
        """As it is to be done: another file takes the place of the old one."""
        fresh = self.list.with_suffix('.new')
        fresh.write_bytes(text)
        os.rename(fresh, self.list)

    def filter(self, daemon):
        return daemon.ctl('status')['ip_filter']

    def peers(self, daemon):
        return daemon.ctl('peers', self.torrent.hash)['peers']

    def test_a_peer_is_left_when_its_address_gets_onto_the_list_and_dialled_again_when_it_goes(self):
        self.list.write_bytes(b'\xef\xbb\xbfCaf\xe9: one:9.0.0.1-9.0.0.9\r\nnonsense\r\n')
        seed = Session(self, '127.0.0.2:0', upload_rate_limit=100_000).seed(self.torrent)
        daemon = self.daemon().start()
        daemon.add(self.torrent.magnet(seed.endpoint), '--download')
        wait_for(lambda: self.peers(daemon), 20, daemon.tail)
        self.assertEqual((self.filter(daemon)['ranges'], self.filter(daemon)['bad_lines']), (1, 1))

        self.replace(b'127.000.000.002 - 127.000.000.002 , 100 , the seed\n')

        wait_for(lambda: not self.peers(daemon), TAKEN, daemon.tail)
        self.assertGreater(self.filter(daemon)['refused_connections'], 0)
        with self.subTest('it may not dial us either'):
            seed.connect(daemon.endpoint())
            until = time.monotonic() + 5
            while time.monotonic() < until:
                self.assertEqual(self.peers(daemon), [])
                time.sleep(0.1)
        with self.subTest('the user is told'):
            done = daemon.run('connect', self.torrent.hash, seed.endpoint)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn('the IP filter (network.ip_filter) keeps us away from', done.stderr)
            self.assertIn('IP filter', daemon.run('status').stdout)
        self.replace(b'# nobody\n')
        wait_for(lambda: self.filter(daemon)['ranges'] == 0, TAKEN, daemon.tail)
        daemon.ctl('connect', self.torrent.hash, seed.endpoint)
        wait_for(lambda: self.peers(daemon), 20, daemon.tail)

    def test_a_list_that_goes_stays_in_force(self):
        self.list.write_text('127.0.0.2\n')
        daemon = self.daemon().start()

        self.list.unlink()

        wait_for(lambda: 'No such file' in self.filter(daemon)['trouble'], TAKEN, daemon.tail)
        self.assertEqual(self.filter(daemon)['ranges'], 1)
        self.assertIn('the old IP filter stays', daemon.tail())

    def test_another_list_is_taken_when_the_configuration_is_read_again(self):
        self.list.write_text('127.0.0.2\n')
        daemon = self.daemon().start()
        other = self.directory / 'other.list'
        other.write_text('127.0.0.3\n127.0.0.5\n')
        daemon.config.write_text(daemon.config.read_text().replace(str(self.list), str(other)))

        daemon.process.send_signal(signal.SIGHUP)

        wait_for(lambda: self.filter(daemon)['ranges'] == 2, TAKEN, daemon.tail)

    def test_without_its_list_the_daemon_does_not_start(self):
        daemon = self.daemon()

        daemon.spawn()

        self.assertEqual(daemon.process.wait(30), 1)
        self.assertIn(f'the IP filter {self.list} cannot be taken: No such file or directory', daemon.tail())
        self.assertFalse(daemon.is_mounted())


class Listener:
    """One side of a handshake as bytes, whoever dials."""

    def __init__(self, scenario, torrent):
        self.hash = bytes.fromhex(torrent.hash)
        self.server = socket.create_server(('127.0.0.1', 0))
        self.server.settimeout(30)
        scenario.addCleanup(self.server.close)
        self.endpoint = '127.0.0.1:%d' % self.server.getsockname()[1]

    def greet(self, peer):
        """Everything the other side sends up to its extension handshake."""
        peer.settimeout(30)
        peer.sendall(b'\x13BitTorrent protocol' + b'\0\0\0\0\0\x10\0\x04' + self.hash + b'-XX0000-' + os.urandom(12))
        heard = self.read(peer, 68)
        while True:
            length = self.read(peer, 4)
            message = self.read(peer, struct.unpack('>I', length)[0])
            heard += length + message
            if message[:2] == b'\x14\0':
                return heard

    @staticmethod
    def read(peer, count):
        data = b''
        while len(data) < count:
            part = peer.recv(count - len(data))
            if not part:
                raise AssertionError(f'the connection ended after {data}')
            data += part
        return data

    def accept(self):
        peer, _ = self.server.accept()
        with peer:
            return self.greet(peer)

    def dial(self, endpoint):
        host, _, port = endpoint.rpartition(':')
        with socket.create_connection((host, int(port)), 10) as peer:
            return self.greet(peer)


class Anonymity(Scenario):
    REVEALING = (b'rqfs', b'4:ipv4', b'4:ipv6', b'1:v')

    def setUp(self):
        super().setUp()
        self.torrent = self.film()

    def daemon(self, anonymous):
        return Daemon(self, f'anonymous-{anonymous}', config='network:\n  test_network: true\n  dht: false\n  lsd: false\n'
                      f'  anonymous: {str(anonymous).lower()}\n').start()

    def handshakes(self, anonymous):
        """As those hear them whom the daemon dials, and who dial the daemon."""
        listener, daemon = Listener(self, self.torrent), self.daemon(anonymous)
        daemon.add(self.torrent.magnet(listener.endpoint))
        return listener.accept(), listener.dial(daemon.endpoint())

    def test_handshakes_say_which_program_it_is(self):
        for heard in self.handshakes(False):
            self.assertIn(b'-RQ', heard[48:68])
            self.assertIn(b'1:v', heard)
            self.assertIn(b'rqfs', heard)

    def test_handshakes_of_an_anonymous_daemon_do_not(self):
        for heard in self.handshakes(True):
            self.assertNotEqual(heard[48:51], b'-RQ')
            for word in self.REVEALING:
                self.assertNotIn(word, heard)

    def announce(self, anonymous):
        """The first that a tracker hears."""
        tracker = Tracker(self)
        daemon = self.daemon(anonymous)
        daemon.add(self.torrent.magnet(trackers=[tracker.url]))
        wait_for(lambda: tracker.announces, 20, daemon.tail)
        return tracker.announces[0]

    def test_trackers_are_told_of_an_anonymous_daemon_what_they_must_know(self):
        heard = self.announce(True)

        self.assertEqual(heard.headers['User-Agent'], 'curl/7.81.0')
        self.assertNotIn('peer_id=-RQ', heard.path)
        for word in ('&ip=', '&ipv4=', '&ipv6=', 'rqfs'):
            self.assertNotIn(word, heard.path)

    def test_trackers_are_told_of_any_other_which_program_it_is(self):
        heard = self.announce(False)

        self.assertTrue(heard.headers['User-Agent'].startswith('rqfs/'))
        self.assertIn('peer_id=-RQ', heard.path)


if __name__ == '__main__':
    lab.main()
