"""A magnet that is nothing but an info-hash is enough for who is behind a router that masquerades: the DHT finds him others, and others him
where the router leads to him. Nothing is lifted for laboratories but on libtorrent's side.

`Unmapped` is in a house of behind_nat's internet, `Mapped` in the one of routed_home, whose router is miniupnpd.
"""
import subprocess
import sys

import lab
from found_test import Found
from lab import Daemon, Process, Session, lt, needs, needs_root, wait_for
from neighbours import DIALS_NOBODY, LABORATORY, Every, Neighbours
from networks import House, Internet
from port_mapping_test import ODD_ROUTER
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
        asking = {'alert_mask': int(lt.alert.category_t.dht_operation_notification)}
        nodes = self.introduced([Session(self, address + ':6881', **LABORATORY, **asking) for address in self.addresses])
        self.asking = nodes[-1].session

    def daemon_at_home(self):
        config = f'network:\n  lsd: false\n  dht_routers: ["{self.addresses[0]}:6881"]\n'
        return Daemon(self, config=config, listen=(f'0.0.0.0:{PORT}',), within=self.home.within).start()

    def complete(self, daemon):
        """It has everything, from a libtorrent outside that is gone."""
        seed = Session(self, OUTSIDE + ':6882').seed(self.torrent)
        daemon.add(self.torrent.magnet(seed.endpoint), '--wait', '--download')
        daemon.wait_state(self.torrent, 'seeding', 60)
        seed.end()

    def wait_told(self, port):
        """A node of the DHT that asks the others for the film hears of this port."""
        told = set()
        ask = Every(1, lambda: self.asking.dht_get_peers(lt.sha1_hash(bytes.fromhex(self.torrent.hash))))

        def look():
            ask()
            replies = [alert for alert in self.asking.pop_alerts() if isinstance(alert, lt.dht_get_peers_reply_alert)]
            told.update(heard for reply in replies for _, heard in reply.peers())
            return port in told

        wait_for(look, 30, lambda: f'{port} is announced: {told}')

    def test_libtorrent_finds_us_at_the_port_that_the_router_gave_us_for_ours(self):
        self.forwarding(upnp=False)
        self.home.run('ip', 'addr', 'add', '192.168.9.3/24', 'dev', 'eth0')
        self.home.run(sys.executable, '-c', NEIGHBOUR, '192.168.9.3', str(PORT), timeout=30)
        daemon = self.daemon_at_home()
        mapping = self.wait_mapping(daemon, 'mapped')
        address, port = mapping['external'], mapping['external_port']
        self.complete(daemon)
        self.home.run('nft', '-f', '-', input=DIALS_NOBODY)
        self.assertNotEqual(port, PORT)

        self.assert_found(f'{address}:{port}', Session(self, OUTSIDE + ':6881'), self.addresses[0])

    def test_a_port_that_upnp_gives_us_is_announced_though_ours_has_been_before(self):
        daemon = self.daemon_at_home()
        self.complete(daemon)
        self.wait_told(PORT)

        Process(self, self.router.within + [sys.executable, '-c', ODD_ROUTER, self.directory, 'conflict'], 'odd_router')

        mapping = self.wait_mapping(daemon, 'mapped', 120)
        self.assertEqual(mapping['method'], 'UPnP')
        self.assertNotEqual(mapping['external_port'], PORT)
        self.wait_told(mapping['external_port'])


if __name__ == '__main__':
    lab.main()
