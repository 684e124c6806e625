"""Two of us in one house, behind one router, play the same film: with local discovery it comes from the internet once."""
import time

import lab
from behind_nat import Nat
from lab import MIB, wait_for
from networks import House
from player import Player


class Family(Nat):
    """Two of us in one house play the same film, and the only seed is outside, beyond a line that is
    faster than the film and slower than the local network."""

    LINE, RATE = 2 * MIB, MIB  # bytes a second

    def setUp(self):
        super().setUp()
        self.house, self.outside = House(self, self.internet), self.internet.computer()
        self.announced(self.session(self.outside, upload_rate_limit=self.LINE))
        self.wait_announced(self.outside.endpoint())

    def play_both(self, second_listens, apart):
        """The second so many seconds after the first. Bytes that came from the internet, with their headers, and whom the two were connected with."""
        first = self.daemon(self.house.computer(2), 'first', lsd=True)
        # At a port of its own: a seed outside takes those who are at the same port of one address for the same.
        second = self.daemon(self.house.computer(3), 'second', lsd=second_listens, port=6882)
        before, seen, players = self.house.downloaded_bytes(), (set(), set()), []

        def look():
            for daemon, of_this_one in zip((first, second), seen):
                if daemon.run('status', self.torrent.hash).returncode == 0:
                    of_this_one.update(endpoint.rpartition(':')[0] for endpoint in self.peers(daemon))
            return True

        for daemon in (first, second):
            film = daemon.add(self.magnet) / self.torrent.name
            wait_for(lambda: look() and film.exists(), 100, lambda: f'the film is in the mount: {daemon.tail()}')
            players.append(Player(self, film, self.torrent, rate=self.RATE))
            begun = time.monotonic()
            wait_for(lambda: look() and players[-1].shown_bytes() and time.monotonic() >= begun + apart, 100, lambda: f'it is played: {daemon.tail()}')
        wait_for(lambda: look() and all(player.has_ended() for player in players), 250, 'the film is over')
        for player in players:
            player.assert_shown()
        return self.house.downloaded_bytes() - before, *seen


class WithDiscovery(Family):
    # A minute and a half of play: until the read-ahead of the second is full, after eight seconds, both want the same, and what they
    # ask the seed for in the same moment comes twice.
    SIZE = 112 * MIB

    def test_they_find_each_other_and_take_it_from_the_internet_once(self):
        loaded, of_first, of_second = self.play_both(second_listens=True, apart=10)

        self.assertIn(self.house.lan.host(3), of_first)
        self.assertIn(self.house.lan.host(2), of_second)
        # Without the heads of IP and TCP, which are 52 bytes of 1,500.
        self.assertLessEqual(loaded * 1448 / 1500, 1.1 * self.SIZE)


class WithDiscoveryOnOneSide(Family):
    """Who has it switched off neither joins the group nor says anything (BEP 14): the other is not heard, and hears nothing."""

    def test_who_does_not_listen_takes_it_from_the_internet_again(self):
        loaded, of_first, of_second = self.play_both(second_listens=False, apart=0)

        self.assertEqual((of_first, of_second), ({self.outside.address}, {self.outside.address}))
        self.assertGreaterEqual(loaded, 2 * self.SIZE * 3 / 4)


if __name__ == '__main__':
    lab.main()
