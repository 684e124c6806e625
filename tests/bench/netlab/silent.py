#!/usr/bin/python3
"""A peer that says it has everything, unchokes whoever asks, and never sends a block.

  silent.py --torrent F --listen ADDRESS:PORT

Announces itself to the torrent's HTTP tracker as a seed. Prints a JSON line when it listens.
"""
import argparse
import json
import socket
import socketserver
import struct
import threading
import urllib.parse
import urllib.request

import libtorrent as lt

PEER_ID = b'-SI0001-' + b'silentsilent'
INTERESTED = 2


def receive(connection, size):
    got = b''
    while len(got) < size:
        part = connection.recv(size - len(got))
        if not part:
            raise ConnectionError
        got += part
    return got


def handler(info_hash, pieces):
    full = bytearray(b'\xff' * ((pieces + 7) // 8))
    if pieces % 8:
        full[-1] = 0xff << (8 - pieces % 8) & 0xff
    hello = b'\x13BitTorrent protocol' + bytes(8) + info_hash + PEER_ID

    class Peer(socketserver.BaseRequestHandler):
        def handle(self):
            try:
                receive(self.request, 68)
                self.request.sendall(hello + struct.pack('>IB', 1 + len(full), 5) + bytes(full))
                while True:
                    message = receive(self.request, struct.unpack('>I', receive(self.request, 4))[0])
                    if message[:1] == bytes([INTERESTED]):
                        self.request.sendall(struct.pack('>IB', 1, 1))  # unchoke
            except OSError:
                pass
    return Peer


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument('--torrent', required=True)
    options.add_argument('--listen', required=True)
    options = options.parse_args()
    info = lt.torrent_info(options.torrent)
    info_hash = info.info_hashes().v1.to_bytes()
    host, _, port = options.listen.rpartition(':')
    socketserver.ThreadingTCPServer.allow_reuse_address = socketserver.ThreadingTCPServer.daemon_threads = True
    server = socketserver.ThreadingTCPServer((host, int(port)), handler(info_hash, info.num_pieces()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    socket.setdefaulttimeout(10)
    for tracker in info.trackers():
        urllib.request.urlopen(tracker.url + '?' + urllib.parse.urlencode({
            'info_hash': info_hash, 'peer_id': PEER_ID, 'port': port, 'uploaded': 0, 'downloaded': 0, 'left': 0, 'compact': 1,
            'event': 'started'})).read()
    print(json.dumps({'state': 'silent', 'dht_nodes': 0, 'uploaded': 0}), flush=True)
    threading.Event().wait()


if __name__ == '__main__':
    main()
