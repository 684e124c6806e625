"""A port in the firewall of an IPv6 router: a daemon behind it is reached from outside by those it never dialled.

The network is that of routed_home.
"""
import re
import socket

import lab
from lab import Daemon, Session, needs, needs_root, sha256, wait_for
from routed_home import HOME6, OUTSIDE6, PORT, RoutedHome

ON = 'network:\n  test_network: true\n  port_mapping: true\n  lsd: false\n'
OFF = ON.replace('port_mapping: true', 'port_mapping: false')
PING = b'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe'


@needs_root()
@needs('ip', 'nsenter', 'nft', 'miniupnpd')
class Pinholes(RoutedHome):
    def daemon(self, config=ON):
        return Daemon(self, config=config, listen=(f'0.0.0.0:{PORT}', f'[::]:{PORT}'), within=self.home.within).start()

    def wait_pinhole(self, daemon, state):
        def pinhole():
            found = daemon.ctl('status')['pinhole']
            return found if found['state'] == state else None
        return wait_for(pinhole, 60, lambda: f'{state}: {daemon.ctl("status")["pinhole"]} {daemon.tail()}')

    def connects(self):
        try:
            socket.create_connection((HOME6, PORT), 1).close()
            return True
        except OSError:
            return False

    def answers_datagrams(self):
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asking:
            asking.settimeout(1)
            asking.sendto(PING, (HOME6, PORT))
            try:
                return b'1:y1:r' in asking.recv(2000)
            except OSError:
                return False

    def test_peers_outside_reach_the_port_until_the_daemon_stops(self):
        self.forwarding(ipv6=True)
        torrent = self.film()
        seed = Session(self, listen=f'[{OUTSIDE6}]:0').seed(torrent)
        daemon = self.daemon()
        pinhole = self.wait_pinhole(daemon, 'mapped')
        self.assertEqual((pinhole['method'], pinhole['external'], pinhole['external_port']), ('UPnP', HOME6, PORT))
        self.assertEqual(self.opened(), ['tcp', 'udp'])
        daemon.add(torrent.magnet(seed.endpoint), '--wait', '--download')
        daemon.wait_state(torrent, 'seeding', 60)
        seed.end()

        leech = Session(self, listen=f'[{OUTSIDE6}]:0')
        leech.leech_magnet(torrent.magnet(f'[{HOME6}]:{PORT}'), self.directory / 'leech')
        leech.wait_complete(60)

        self.assertEqual(sha256(self.directory / 'leech' / torrent.name), sha256(torrent.content))
        self.assertTrue(self.answers_datagrams())
        self.assertTrue(daemon.ctl('status')['incoming_seen'])
        self.assertIn(f'UPnP opens {HOME6} port {PORT} for us', daemon.run('status').stdout)
        self.assertLess(daemon.stop(), lab.STOP_SECONDS)
        self.assertEqual(self.opened(), [])

    def test_without_a_pinhole_nobody_outside_does(self):
        self.forwarding(ipv6=False)
        daemon = self.daemon()

        message = self.wait_pinhole(daemon, 'failed')['message']

        self.assertEqual(message, 'the router does not answer UPnP')
        self.assertEqual(self.wait_mapping(daemon, 'mapped')['external_port'], PORT, 'what IPv4 needs is there')
        self.assertFalse(self.connects())
        self.assertFalse(self.answers_datagrams())
        self.assertIn('no port is opened, it is tried again: ' + message, daemon.run('status').stdout)
        loud = [line for line in daemon.log.read_text().splitlines() if re.search(r'\b(warn|warning|error)\b', line.split('error=')[0])]
        self.assertEqual([line for line in loud if 'map' in line or 'router' in line], [])

    def test_switched_off_nothing_is_asked(self):
        self.forwarding(ipv6=True)

        daemon = self.daemon(OFF)

        self.assertEqual(daemon.ctl('status')['pinhole']['state'], 'off')
        self.assertIn('no port is opened: network.port_mapping is false', daemon.run('status').stdout)
        self.assertEqual(self.opened(), [])
        self.assertFalse(self.connects())


if __name__ == '__main__':
    lab.main()
