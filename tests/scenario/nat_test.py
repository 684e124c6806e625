"""Films come and go through routers that masquerade: who is behind one, mapped or not, finds others and is found as far as that can be.

The internet here is a router between networks of one computer each, with a tracker; a house is a local network behind a router that lets in
only what was asked for from inside, as those sold do.
"""
import lab
from behind_nat import Nat
from lab import sha256, wait_for
from networks import House


class OneHouse(Nat):
    def setUp(self):
        super().setUp()
        self.house, self.outside = House(self, self.internet), self.internet.computer()
        self.inside = self.house.computer(2)

    def test_we_are_inside_and_the_seed_is_outside(self):
        self.announced(self.session(self.outside))
        self.wait_announced(self.outside.endpoint())
        daemon = self.daemon(self.inside)

        path = daemon.add(self.magnet)

        self.assertEqual(self.assert_plays(daemon, path), {self.outside.address: 'tracker'})
        self.assertIn(self.house.endpoint(), self.tracker.endpoints(self.torrent))  # where nobody can reach us

    def test_the_seed_is_inside_and_comes_to_us(self):
        daemon = self.daemon(self.outside)
        path = daemon.add(self.magnet)
        self.wait_announced(self.outside.endpoint())

        self.announced(self.session(self.inside))

        self.assertEqual(self.assert_plays(daemon, path), {self.house.address: 'incoming'})

    def test_we_seed_inside_and_go_to_whom_we_cannot_be_reached_by(self):
        daemon = self.complete(self.inside, self.outside)
        leech = self.session(self.outside).leech_magnet(self.magnet, self.directory / 'got')
        self.wait_announced(self.outside.endpoint())

        daemon.start()
        daemon.add(self.magnet)

        leech.wait_complete(100)
        self.assertEqual(sha256(self.directory / 'got' / self.torrent.name), sha256(self.torrent.content))

    def test_a_seed_inside_is_reached_by_its_mapping(self):
        self.house.map(self.inside)
        self.announced(self.session(self.inside))
        self.wait_announced(self.house.endpoint())
        daemon = self.daemon(self.outside)

        path = daemon.add(self.magnet)

        self.assertEqual(self.assert_plays(daemon, path), {self.house.address: 'tracker'})

    def test_we_are_reached_by_our_mapping(self):
        self.house.map(self.inside)
        daemon = self.complete(self.inside, self.outside).start()
        daemon.add(self.magnet)
        self.wait_announced(self.house.endpoint())

        leech = self.session(self.outside).leech_magnet(self.magnet, self.directory / 'got')

        wait_for(lambda: leech.status().is_seeding or self.peers(daemon), 60, lambda: f'somebody comes: {daemon.tail()}')
        leech.wait_complete(60)
        self.assertEqual({peer['source'] for peer in self.peers(daemon).values()} - {'incoming'}, set())


class TwoHouses(Nat):
    def test_where_neither_can_be_reached_a_third_carries(self):
        first, second, carrier = House(self, self.internet, 1), House(self, self.internet, 2), self.internet.computer()
        between = self.session(carrier).leech_magnet(self.magnet, self.directory / 'carrier')
        self.wait_announced(carrier.endpoint())
        self.announced(self.session(first.computer(2)))
        self.wait_announced(first.endpoint())
        daemon = self.daemon(second.computer(2))

        path = daemon.add(self.magnet)

        self.assertEqual(self.assert_plays(daemon, path), {carrier.address: 'tracker'})
        between.wait_complete()

    def test_without_a_third_we_say_that_nobody_can_be_reached(self):
        first, second = House(self, self.internet, 1), House(self, self.internet, 2)
        self.announced(self.session(first.computer(2)))
        self.wait_announced(first.endpoint())
        daemon = self.daemon(second.computer(2))

        daemon.add(self.magnet)
        self.wait_announced(second.endpoint())

        wait_for(lambda: 'no peer answers: 1 known' in daemon.torrent(self.torrent)['reason'], 60, lambda: daemon.torrent(self.torrent))
        self.assertEqual(self.peers(daemon), {})


if __name__ == '__main__':
    lab.main()
