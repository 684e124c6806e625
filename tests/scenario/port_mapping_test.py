"""A port in the router: a daemon behind one that translates addresses is reached from outside by those it never dialled.

The network is that of routed_home.
"""
import re
import socket
import struct
import sys
import urllib.parse
import urllib.request

import lab
from lab import Daemon, OpenTracker, Process, Session, needs, needs_root, sha256, wait_for
from routed_home import OUTSIDE, PORT, ROUTER, RoutedHome

ON = 'network:\n  test_network: true\n  port_mapping: true\n  dht: false\n  lsd: false\n'
OFF = ON.replace('port_mapping: true', 'port_mapping: false')

# A gateway that has its own ideas: of argv, the directory for its notes and its mode.
ODD_ROUTER = r'''
import http.server, pathlib, re, socket, sys, threading, time
notes, mode = pathlib.Path(sys.argv[1]), sys.argv[2]
location = 'http://41.0.0.1:8000/x.xml' if mode == 'elsewhere' else 'http://192.168.9.1:5000/x.xml'
SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:1'
DESCRIPTION = ('<root><device><serviceList><service><serviceType>' + SERVICE +
               '</serviceType><controlURL>/c</controlURL></service></serviceList></device></root>').encode()

def search():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('192.168.9.1', 1900))
    while True:
        _, client = s.recvfrom(2000)
        s.sendto(('HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nLOCATION: ' + location +
                  '\r\n\r\n').encode(), client)

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        (notes / 'asked').touch()
        if mode == 'silent':
            time.sleep(3600)
        self.send_response(302 if mode == 'redirect' else 200)
        if mode == 'redirect':
            self.send_header('Location', 'http://41.0.0.1:8000/x.xml')
        self.end_headers()
        while mode == 'endless':
            self.wfile.write(b' ' * 65536)
        self.wfile.write(DESCRIPTION)

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length'])).decode()
        values = dict(re.findall(r'<(New\w+)>([^<]*)<', body))
        fault = 0
        if 'AddPortMapping' in body:
            if mode == 'conflict' and values['NewExternalPort'] == '6881':
                fault = 718
            elif mode == 'permanent' and values['NewLeaseDuration'] != '0':
                fault = 725
        with (notes / 'calls').open('a') as out:
            out.write(f'{re.search("u:([A-Za-z]+)", body)[1]} {values.get("NewProtocol")} {values.get("NewExternalPort")} {fault}\n')
        self.send_response(500 if fault else 200)
        self.end_headers()
        answer = f'<errorCode>{fault}</errorCode>' if fault else '<NewExternalIPAddress>41.0.0.2</NewExternalIPAddress>'
        self.wfile.write(f'<s:Envelope><s:Body>{answer}</s:Body></s:Envelope>'.encode())

threading.Thread(target=search, daemon=True).start()
http.server.ThreadingHTTPServer(('192.168.9.1', 5000), Handler).serve_forever()
'''


@needs_root()
@needs('ip', 'nsenter', 'nft', 'opentracker', 'miniupnpd')
class PortMapping(RoutedHome):
    def odd_router(self, mode):
        return Process(self, self.router.within + [sys.executable, '-c', ODD_ROUTER, self.directory, mode], 'odd_router')

    def calls(self):
        """What the odd router was asked to do: (action, protocol, port, fault)."""
        file = self.directory / 'calls'
        return [tuple(line.split()) for line in file.read_text().splitlines()] if file.exists() else []

    def daemon(self, config=ON):
        return Daemon(self, config=config, listen=(f'0.0.0.0:{PORT}', f'[::]:{PORT}'), within=self.home.within).start()

    def complete(self, daemon, torrent):
        """The daemon has everything, from a seed outside that it dialled and that is gone."""
        seed = Session(self, listen=OUTSIDE + ':0').seed(torrent)
        path = daemon.add(torrent.magnet(seed.endpoint, trackers=[self.tracker.http]), '--wait', '--download')
        daemon.wait_state(torrent, 'seeding', 60)
        seed.end()
        return path

    def announced_port(self, torrent):
        """As the tracker has heard it."""
        query = urllib.parse.urlencode({'info_hash': bytes.fromhex(torrent.hash), 'peer_id': '-XX0000-000000000000', 'port': 1,
                                        'uploaded': 0, 'downloaded': 0, 'left': 1, 'compact': 1})
        with urllib.request.urlopen(f'{self.tracker.http}?{query}&numwant=50', timeout=10) as reply:
            peers = lab.lt.bdecode(reply.read()).get(b'peers', b'')
        found = {socket.inet_ntoa(peers[i:i + 4]): struct.unpack('!H', peers[i + 4:i + 6])[0] for i in range(0, len(peers), 6)}
        return found.get(ROUTER)

    def download_from_outside(self, daemon, torrent):
        """Somebody who knows but the tracker has everything from the daemon, who cannot dial him."""
        leech = Session(self, listen=OUTSIDE + ':0')
        self.router.run('nft', 'add', 'rule', 'inet', 'miniupnpd', 'blocked', 'tcp', 'dport', str(leech.session.listen_port()), 'drop')
        (self.directory / 'leech').mkdir(exist_ok=True)
        leech.leech_magnet(torrent.magnet(trackers=[self.tracker.http]), self.directory / 'leech')
        leech.wait_complete(60)
        self.assertEqual(sha256(self.directory / 'leech' / torrent.name), sha256(torrent.content))
        leech.end()

    def assert_reached(self, method, **protocols):
        self.forwarding(**protocols)
        torrent = self.film()
        self.tracker = OpenTracker(self, torrent.hash, host=OUTSIDE, port=6969)
        daemon = self.daemon()
        mapping = self.wait_mapping(daemon, 'mapped')
        self.assertEqual((mapping['method'], mapping['external'], mapping['external_port']), (method, ROUTER, PORT))
        self.assertEqual(self.forwarded(), [PORT, PORT])
        self.complete(daemon, torrent)
        self.assertFalse(daemon.ctl('status')['incoming_seen'])

        self.download_from_outside(daemon, torrent)

        self.assertTrue(daemon.ctl('status')['incoming_seen'])
        text = daemon.run('status').stdout
        self.assertIn('peers from the internet have connected to us', text)
        self.assertIn(f'{method} maps {ROUTER} port {PORT} to us', text)
        self.assertLess(daemon.stop(), lab.STOP_SECONDS)
        self.assertEqual(self.forwarded(), [])

    def test_by_nat_pmp(self):
        self.assert_reached('NAT-PMP', upnp=False)

    def test_by_upnp(self):
        self.assert_reached('UPnP', natpmp=False)

    def test_by_nat_pmp_where_there_are_both(self):
        self.assert_reached('NAT-PMP')

    def test_after_a_crash_the_same_port_is_mapped(self):
        self.forwarding()
        daemon = self.daemon()
        self.wait_mapping(daemon, 'mapped')
        daemon.kill9()
        daemon.clean()
        self.assertEqual(self.forwarded(), [PORT, PORT])

        daemon.start()

        self.assertEqual(self.wait_mapping(daemon, 'mapped')['external_port'], PORT)
        self.assertEqual(self.forwarded(), [PORT, PORT])
        daemon.stop()
        self.assertEqual(self.forwarded(), [])

    def test_switched_off_nothing_is_asked_and_downloads_work(self):
        self.forwarding()
        torrent = self.film()
        self.tracker = OpenTracker(self, torrent.hash, host=OUTSIDE, port=6969)
        daemon = self.daemon(OFF)

        path = self.complete(daemon, torrent)

        self.assert_mount_equals(path, torrent)
        self.assertEqual(self.mapping(daemon)['state'], 'off')
        self.assertIn('network.port_mapping is false', daemon.run('status').stdout)
        self.assertEqual(self.forwarded(), [])

    def test_a_router_that_maps_nothing_is_no_trouble(self):
        torrent = self.film()
        self.tracker = OpenTracker(self, torrent.hash, host=OUTSIDE, port=6969)
        daemon = self.daemon()
        message = self.wait_mapping(daemon, 'failed')['message']

        path = self.complete(daemon, torrent)

        self.assert_mount_equals(path, torrent)
        self.assertEqual(message, 'the router does not answer NAT-PMP; the router does not answer UPnP')
        self.assertIn('no port is mapped, it is tried again: ' + message, daemon.run('status').stdout)
        loud = [line for line in daemon.log.read_text().splitlines() if re.search(r'\b(warn|warning|error)\b', line.split('error=')[0])]
        self.assertEqual([line for line in loud if 'map' in line or 'router' in line], [])

    def test_the_port_that_is_mapped_is_the_one_announced(self):
        self.odd_router('conflict')
        torrent = self.film()
        self.tracker = OpenTracker(self, torrent.hash, host=OUTSIDE, port=6969)
        daemon = self.daemon()
        port = self.wait_mapping(daemon, 'mapped')['external_port']

        self.complete(daemon, torrent)

        self.assertNotEqual(port, PORT)
        self.assertIn(('AddPortMapping', 'TCP', str(PORT), '718'), self.calls())
        wait_for(lambda: self.announced_port(torrent) == port, 30, lambda: f'{port} announced: {self.announced_port(torrent)}')
        daemon.stop()
        self.assertEqual({call[1] for call in self.calls() if call[0] == 'DeletePortMapping' and call[2] == str(port)}, {'TCP', 'UDP'})

    def test_a_router_that_maps_for_ever_alone_is_understood(self):
        self.odd_router('permanent')
        daemon = self.daemon()

        mapping = self.wait_mapping(daemon, 'mapped')

        self.assertEqual((mapping['external_port'], mapping['expires_seconds']), (PORT, None))
        daemon.stop()
        self.assertEqual(sum(call[0] == 'DeletePortMapping' for call in self.calls()), 2)

    def test_a_router_cannot_send_us_anywhere(self):
        for mode in ('elsewhere', 'redirect'):
            with self.subTest(mode), socket.create_server((OUTSIDE, 8000)) as elsewhere:
                odd = self.odd_router(mode)
                daemon = self.daemon()

                self.wait_mapping(daemon, 'failed')

                elsewhere.settimeout(1)
                with self.assertRaises(TimeoutError):
                    elsewhere.accept()
                daemon.stop()
                odd.end()

    def test_an_endless_answer_is_cut_off(self):
        self.odd_router('endless')
        daemon = self.daemon()

        self.assertIn('longer answer than is allowed', self.wait_mapping(daemon, 'failed')['message'])

    def test_a_stop_does_not_wait_for_a_router_that_says_nothing(self):
        self.odd_router('silent')
        daemon = self.daemon()

        wait_for((self.directory / 'asked').exists, 10, daemon.tail)

        self.assertEqual(self.mapping(daemon)['state'], 'searching')
        self.assertLess(daemon.stop(), lab.STOP_SECONDS)


if __name__ == '__main__':
    lab.main()
