"""A tracker whose book can be read: who announced, from where; over HTTP at an address of either family, for any torrent."""
import http.server
import ipaddress
import socket
import threading
import urllib.parse

import lab


class Tracker:
    """On a computer of its own; hands out everybody else who has announced and not stopped. `endpoints` is whom it knows."""

    PORT = 6969

    def __init__(self, scenario, computer, interval=600):
        self.book, self.interval, tracker = {}, interval, self
        v6 = ':' in computer.address

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if not self.path.startswith('/announce?'):
                    return self.send_error(404)
                asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query, encoding='latin-1')
                body = lab.lt.bencode(tracker.answer(self.client_address[0], {key: values[0] for key, values in asked.items()}))
                self.send_response(200)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if v6 else socket.AF_INET

            def handle_error(self, *_):
                pass  # who says goodbye does not wait for an answer

        with computer.inside():
            self.server = Server((computer.address, self.PORT), Handler)
        self.url = f'http://{computer.endpoint(self.PORT)}/announce'
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={'poll_interval': 0.02})
        self.thread.start()
        scenario.addCleanup(self.end)

    def answer(self, host, asked):
        peers, here = self.book.setdefault(asked['info_hash'].encode('latin-1').hex(), []), (host, int(asked['port']))
        others = [compact(*peer) for peer in peers if peer != here]
        if here in peers:
            peers.remove(here)
        if asked.get('event') != 'stopped':
            peers.append(here)
        return {'interval': self.interval, 'peers': b''.join(p for p in others if len(p) == 6),
                'peers6': b''.join(p for p in others if len(p) == 18)}

    def endpoints(self, torrent):
        return [f'[{host}]:{port}' if ':' in host else f'{host}:{port}' for host, port in self.book.get(torrent.hash, [])]

    def end(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def compact(host, port):
    return ipaddress.ip_address(host).packed + port.to_bytes(2, 'big')
