"""A tracker whose book can be read: who announced, from where, what they said; over HTTP at an address of either family, for any torrent."""
import collections
import contextlib
import http.server
import ipaddress
import socket
import ssl
import threading
import urllib.parse

import lab

# Who announced, from where, over which family (4 or 6), to what path; what was said is text, bytes as Latin-1.
Announce = collections.namedtuple('Announce', 'host family path said headers')


class Tracker:
    """Hands out everybody else who has announced and not stopped, or `peers` where the test says them. `endpoints` is whom it knows,
    `announces` is all it was told. At `address` (:: is both families), by `name` if it has one, within `where`; over
    HTTPS with `tls`, a file of its certificate and key."""

    def __init__(self, scenario, address='127.0.0.1', port=0, name=None, where=None, peers=None, interval=600, tls=None):
        self.book, self.announces, self.peers, self.interval, tracker = {}, [], peers, interval, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if not self.path.startswith('/announce?'):
                    return self.send_error(404)
                body = lab.lt.bencode(tracker.answer(announce_of(self)))
                self.send_response(200)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ':' in address else socket.AF_INET

            def server_bind(self):
                if ':' in address:
                    self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address != '::')
                super().server_bind()

            def handle_error(self, *_):
                pass  # who says goodbye does not wait for an answer

        with where or contextlib.nullcontext():
            self.server = Server((address, port), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f'{"https" if tls else "http"}://{name or (f"[{address}]" if ":" in address else address)}:{self.server.server_port}/announce'
        serve(scenario, self.server)

    @classmethod
    def on(cls, scenario, computer):
        """On a computer of its own."""
        return cls(scenario, computer.address, 6969, where=computer.inside())

    def answer(self, announce):
        self.announces.append(announce)
        book, here = self.book.setdefault(announce.said['info_hash'].encode('latin-1').hex(), []), (announce.host, int(announce.said['port']))
        others = [peer for peer in book if peer != here] if self.peers is None else self.peers
        if here in book:
            book.remove(here)
        if announce.said.get('event') != 'stopped':
            book.append(here)
        return {'interval': self.interval, 'peers': compact(others, 6), 'peers6': compact(others, 18)}

    def endpoints(self, torrent):
        return [f'[{host}]:{port}' if ':' in host else f'{host}:{port}' for host, port in self.book.get(torrent.hash, [])]


def announce_of(request):
    host = request.client_address[0]
    mapped = host.startswith('::ffff:')
    said = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query, encoding='latin-1')
    return Announce(host.removeprefix('::ffff:'), 6 if ':' in host and not mapped else 4, request.path,
                    {key: values[0] for key, values in said.items()}, dict(request.headers))


def serve(scenario, server):
    """Until the test ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.02})
    thread.start()

    def end():
        server.shutdown()
        server.server_close()
        thread.join()

    scenario.addCleanup(end)


def compact(peers, size):
    """Those of `peers`, each (host, port), that have so many bytes: 6 for IPv4 (BEP 23), 18 for IPv6 (BEP 7)."""
    packed = (ipaddress.ip_address(host).packed + int(port).to_bytes(2, 'big') for host, port in peers)
    return b''.join(each for each in packed if len(each) == size)
