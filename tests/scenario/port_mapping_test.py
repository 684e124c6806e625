"""A port in the router: a daemon behind one that translates addresses is reached from outside by those it never dialled.

Outside is this namespace, 41.0.0.1. The router has 41.0.0.2 there and 192.168.9.1 inside, where the daemon's home is 192.168.9.2.
"""
import os
import re
import socket
import struct
import subprocess
import sys
import urllib.parse
import urllib.request

import lab
from lab import Daemon, OpenTracker, Process, Scenario, Session, end_with_us, needs, needs_root, sha256, wait_for

OUTSIDE, ROUTER, PORT = '41.0.0.1', '41.0.0.2', 6881
ON = 'network:\n  test_network: true\n  port_mapping: true\n  dht: false\n  lsd: false\n'
OFF = ON.replace('port_mapping: true', 'port_mapping: false')

RULES = '''
table inet miniupnpd {
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        jump blocked
        iifname "inside" accept
        jump miniupnpd
    }
    chain blocked { }
    chain miniupnpd { }
    chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
    chain postrouting { type nat hook postrouting priority 100; jump postrouting_miniupnpd; oifname "wan" masquerade; }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
}
'''

CONFIGURATION = '''
ext_ifname=wan
listening_ip=inside
http_port=5000
enable_natpmp={natpmp}
enable_upnp={upnp}
secure_mode=yes
system_uptime=yes
upnp_table_name=miniupnpd
upnp_nat_table_name=miniupnpd
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
uuid=00000000-0000-0000-0000-000000000001
allow 1024-65535 192.168.9.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
'''

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


class Place:
    """A network namespace that lives as long as its process."""

    def __init__(self, scenario):
        self.holder = subprocess.Popen(['unshare', '--net', 'sleep', 'infinity'], preexec_fn=end_with_us)
        scenario.addCleanup(self.end)
        self.pid, ours = str(self.holder.pid), os.stat('/proc/self/ns/net').st_ino
        wait_for(lambda: os.stat(f'/proc/{self.pid}/ns/net').st_ino != ours, 5, 'a namespace')
        self.within = ['nsenter', f'--net=/proc/{self.pid}/ns/net']
        self.run('ip', 'link', 'set', 'lo', 'up')

    def run(self, *words, **more):
        return subprocess.run(self.within + list(words), check=True, capture_output=True, text=True, **more).stdout

    def address(self, link, address):
        self.run('ip', 'addr', 'add', address, 'dev', link)
        self.run('ip', 'link', 'set', link, 'up')

    def end(self):
        self.holder.kill()
        self.holder.wait()


@needs_root()
@needs('ip', 'nsenter', 'nft', 'opentracker', 'miniupnpd')
class PortMapping(Scenario):
    def setUp(self):
        super().setUp()
        subprocess.run(['ip', 'link', 'del', 'outside'], capture_output=True)
        self.router, self.home = Place(self), Place(self)
        subprocess.run(['ip', 'link', 'add', 'outside', 'type', 'veth', 'peer', 'name', 'wan', 'netns', self.router.pid], check=True)
        self.addCleanup(subprocess.run, ['ip', 'link', 'del', 'outside'], capture_output=True)
        subprocess.run(['ip', 'addr', 'add', OUTSIDE + '/24', 'dev', 'outside'], check=True)
        subprocess.run(['ip', 'link', 'set', 'outside', 'up'], check=True)
        self.router.run('ip', 'link', 'add', 'inside', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', self.home.pid)
        self.router.address('wan', ROUTER + '/24')
        self.router.address('inside', '192.168.9.1/24')
        self.home.address('eth0', '192.168.9.2/24')
        self.home.run('ip', 'route', 'add', 'default', 'via', '192.168.9.1')
        self.router.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
        self.router.run('nft', '-f', '-', input=RULES)

    def forwarding(self, natpmp=True, upnp=True):
        """The router does what it is asked to."""
        file = self.directory / 'miniupnpd.conf'
        file.write_text(CONFIGURATION.format(natpmp='yes' if natpmp else 'no', upnp='yes' if upnp else 'no'))
        return Process(self, self.router.within + ['miniupnpd', '-d', '-f', file, '-P', self.directory / 'miniupnpd.pid'], 'miniupnpd')

    def odd_router(self, mode):
        return Process(self, self.router.within + [sys.executable, '-c', ODD_ROUTER, self.directory, mode], 'odd_router')

    def calls(self):
        """What the odd router was asked to do: (action, protocol, port, fault)."""
        file = self.directory / 'calls'
        return [tuple(line.split()) for line in file.read_text().splitlines()] if file.exists() else []

    def daemon(self, config=ON):
        return Daemon(self, config=config, listen=(f'0.0.0.0:{PORT}', f'[::]:{PORT}'), within=self.home.within).start()

    def forwarded(self):
        """The external ports that lead to the daemon's, as the router's kernel has it."""
        rules = self.router.run('nft', 'list', 'chain', 'inet', 'miniupnpd', 'prerouting_miniupnpd')
        return sorted(int(port) for port in re.findall(rf'dport (\d+).* dnat ip to 192\.168\.9\.2:{PORT}', rules))

    def mapping(self, daemon):
        return daemon.ctl('status')['port_mapping']

    def wait_mapping(self, daemon, state, seconds=60):
        return wait_for(lambda: (lambda m: m if m['state'] == state else None)(self.mapping(daemon)), seconds,
                        lambda: f'{state}: {self.mapping(daemon)} {daemon.tail()}')

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
        self.assertIn('peers have connected to us', text)
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
