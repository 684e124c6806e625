"""A magnet that is nothing but an info-hash is enough for who is behind a router that masquerades: the DHT finds him others, and others him
where the router leads to him. Nothing is lifted for laboratories but on libtorrent's side.

`Unmapped` is in a house of behind_nat's internet, `Mapped` in the one of routed_home, whose router is miniupnpd.
"""
import subprocess
import sys

import lab
from found_test import Found
from lab import Daemon, Session, needs, needs_root
from neighbours import DIALS_NOBODY, LABORATORY, Every, Neighbours
from networks import House, Internet
from routed_home import OUTSIDE, PORT, RoutedHome

NODES = 5

# Has the router's port for an hour, UDP and TCP, by NAT-PMP (RFC 6886): of argv, its address and the port.
NEIGHBOUR = '''
import socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
    asking.bind((sys.argv[1], 0))
    asking.settimeout(0.5)
    given = set()
    while given != {1, 2}:  # the router may not be up yet
        for protocol in (1, 2):
            asking.sendto(struct.pack('!BBHHHI', 0, protocol, 0, int(sys.argv[2]), int(sys.argv[2]), 3600), ('192.168.9.1', 5351))
            try:
                answer = asking.recv(100)
            except TimeoutError:
                continue
            if answer[2:4] == bytes(2):
                given.add(answer[1] - 128)
'''


@needs_root()
@needs('ip', 'nsenter', 'nft')
class Unmapped(Found):
    def test_we_are_inside_and_the_seed_is_outside(self):
        internet = Internet(self)
        house, outside = House(self, internet), [internet.computer() for _ in range(NODES)]
        nodes = self.introduced([self.session(computer, **LABORATORY) for computer in outside])
        seed = nodes[-1].seed(self.torrent)
        daemon = self.daemon(house.computer(2), dht=True, more=f'  dht_routers: ["{outside[0].endpoint()}"]\n')

        path = daemon.add(self.bare)

        self.assert_plays(daemon, path, 'dht', meanwhile=Every(3, seed.torrent.force_dht_announce))


@needs_root()
@needs('ip', 'nsenter', 'nft', 'miniupnpd')
class Mapped(Neighbours, RoutedHome):
    def setUp(self):
        super().setUp()
        self.addresses = [f'41.0.0.{10 + number}' for number in range(NODES)]
        for address in self.addresses:
            subprocess.run(['ip', 'addr', 'add', address + '/24', 'dev', 'outside'], check=True)
        self.introduced([Session(self, address + ':6881', **LABORATORY) for address in self.addresses])

    def complete(self):
        """A daemon at home that runs and has everything, from a libtorrent outside that is gone: where the internet reaches it."""
        config = f'network:\n  lsd: false\n  dht_routers: ["{self.addresses[0]}:6881"]\n'
        daemon = Daemon(self, config=config, listen=(f'0.0.0.0:{PORT}',), within=self.home.within).start()
        mapping = self.wait_mapping(daemon, 'mapped')
        seed = Session(self, OUTSIDE + ':6882').seed(self.torrent)
        daemon.add(self.torrent.magnet(seed.endpoint), '--wait', '--download')
        daemon.wait_state(self.torrent, 'seeding', 60)
        seed.end()
        return mapping['external'], mapping['external_port']

    def test_libtorrent_finds_us_at_the_port_that_the_router_gave_us_for_ours(self):
        self.forwarding(upnp=False)
        self.home.run('ip', 'addr', 'add', '192.168.9.3/24', 'dev', 'eth0')
        self.home.run(sys.executable, '-c', NEIGHBOUR, '192.168.9.3', str(PORT), timeout=30)
        address, port = self.complete()
        self.home.run('nft', '-f', '-', input=DIALS_NOBODY)
        self.assertNotEqual(port, PORT)

        self.assert_found(f'{address}:{port}', Session(self, OUTSIDE + ':6881'), self.addresses[0])


if __name__ == '__main__':
    lab.main()
