"""Strangers who name somebody else's services as peers: who listens there counts how often rqfs comes.

Trackers, peers (PEX), nodes of the DHT and the notes of the last run name, each by itself, our own machine's services and those of the
private network that we are part of, low ports of the internet, and one peer that may be dialled, so that it shows when all had their turn.
"""
import collections
import select
import socket
import struct
import threading
import time

import lab
from lab import lt, needs, needs_root, wait_for
from neighbours import Neighbours
from networks import PUBLIC4, Lan
from tracker import Tracker, compact

HOME = '10.9.8.{}'
GRACE = 2  # seconds after the one who may be dialled was; all others would have been in the same turn


class Turns:
    """Takes turn after turn, each a fifth of a second at most while nothing happens, until the test ends."""

    def begin(self, scenario, *sockets):
        self.over, self.thread = threading.Event(), threading.Thread(target=self.run)
        for each in sockets:
            scenario.addCleanup(each.close)
        scenario.addCleanup(self.thread.join)
        scenario.addCleanup(self.over.set)
        self.thread.start()

    def run(self):
        while not self.over.is_set():
            self.turn()


class Canaries(Turns):
    """Take every connection where they listen, say nothing, and count."""

    def __init__(self):
        self.servers, self.counted = [], collections.Counter()

    def listen(self, computer, *endpoints):
        with computer.inside():
            self.servers += [socket.create_server(endpoint) for endpoint in endpoints]
        return list(endpoints)

    def turn(self):
        for server in select.select(self.servers, [], [], 0.2)[0]:
            server.accept()[0].close()
            self.counted[server.getsockname()] += 1


class Pex(Turns):
    """A peer that has nothing and tells whoever talks of PEX with it of `named`."""

    def __init__(self, scenario, computer, torrent, named):
        with computer.inside():
            self.server = socket.create_server((computer.address, 6881))
        self.hash, self.named, self.told = bytes.fromhex(torrent.hash), named, 0
        self.server.settimeout(0.2)
        self.begin(scenario, self.server)

    def turn(self):
        try:
            peer, _ = self.server.accept()
        except TimeoutError:
            return
        with peer:
            try:
                peer.settimeout(5)
                self.talk(peer)
            except OSError:
                pass

    def talk(self, peer):
        self.read(peer, 68)
        peer.sendall(b'\x13BitTorrent protocol' + b'\0\0\0\0\0\x10\0\0' + self.hash + b'-XX0000-canarytester')
        self.send(peer, 0, lt.bencode({'m': {'ut_pex': 1}}))
        while True:
            size, = struct.unpack('>I', self.read(peer, 4))
            message = self.read(peer, size)
            if message[:2] == b'\x14\0':
                number = lt.bdecode(message[2:])[b'm'][b'ut_pex']
                self.send(peer, number, lt.bencode({'added': compact(self.named, 6), 'added.f': bytes(len(self.named)), 'dropped': b''}))
                self.told += 1

    @staticmethod
    def send(peer, number, payload):
        peer.sendall(struct.pack('>IBB', len(payload) + 2, 20, number) + payload)

    @staticmethod
    def read(peer, size):
        data = b''
        while len(data) < size:
            part = peer.recv(size - len(data))
            if not part:
                raise ConnectionError
            data += part
        return data


class Node(Turns):
    """A DHT of one node, which knows `named` to be the peers of any torrent."""

    def __init__(self, scenario, computer, named):
        with computer.inside():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind((computer.address, 6881))
        self.socket.settimeout(0.2)
        self.id, self.asked = bytes(range(20)), collections.Counter()
        self.me, self.values = self.id + compact([(computer.address, 6881)], 6), [compact([each], 6) for each in named]
        self.begin(scenario, self.socket)

    def turn(self):
        try:
            data, sender = self.socket.recvfrom(2048)
        except TimeoutError:
            return
        query = lt.bdecode(data)
        if not query or query.get(b'y') != b'q':
            return
        self.asked[query[b'q']] += 1
        answer = {'id': self.id, 'nodes': self.me, 'token': b'token'}
        if query[b'q'] == b'get_peers':
            answer['values'] = self.values
        self.socket.sendto(lt.bencode({'t': query[b't'], 'y': 'r', 'r': answer}), sender)


@needs_root()
@needs('ip', 'nsenter')
class NamedByStrangers(Neighbours):
    def setUp(self):
        super().setUp()
        self.lan = Lan(self, PUBLIC4.format(0))
        self.ours, self.theirs, self.liar = (self.lan.computer(n) for n in (2, 3, 4))
        for number, computer in ((2, self.ours), (3, self.theirs)):
            computer.take(HOME.format(number) + '/24')
        self.canaries = Canaries()
        self.loopback = self.canaries.listen(self.ours, ('127.0.0.1', 6379), ('127.0.0.1', 51413), (HOME.format(2), 8080))
        self.services = self.canaries.listen(self.theirs, *((HOME.format(3), port) for port in (25, 80, 6379)))
        self.private = self.canaries.listen(self.theirs, (HOME.format(3), 51413))
        self.low = self.canaries.listen(self.theirs, (self.theirs.address, 25), (self.theirs.address, 80))
        self.peer = self.canaries.listen(self.theirs, (self.theirs.address, 51413))
        self.canaries.begin(self, *self.canaries.servers)
        self.named = self.loopback + self.services + self.private + self.low + self.peer

    def world(self, name, laboratory, more='', dht=False):
        return self.daemon(self.ours, name, dht=dht, more=f'  test_network: {str(laboratory).lower()}\n{more}')

    def assert_dialled(self, daemon, *expected):
        """These and nobody else."""
        wait_for(lambda: all(self.canaries.counted[each] for each in expected), 60,
                 lambda: f'dialled: {dict(self.canaries.counted)} {daemon.tail()}')
        time.sleep(GRACE)
        self.assertEqual(set(self.canaries.counted), set(expected), daemon.tail())
        self.canaries.counted.clear()

    def both_worlds(self, name_them):
        """As strangers name them to a daemon in the world as it is, and to one in a laboratory, where nothing is vetted."""
        for laboratory in (False, True):
            with self.subTest(laboratory=laboratory):
                daemon = name_them(laboratory)
                self.assert_dialled(daemon, *(self.named if laboratory else self.peer))
                daemon.stop()

    def test_by_a_tracker(self):
        tracker = Tracker(self, self.liar.address, 6969, where=self.liar.inside(), peers=self.named)

        def name_them(laboratory):
            daemon = self.world(f'tracker-{laboratory}', laboratory)
            daemon.add(self.torrent.magnet(trackers=[tracker.url]))
            return daemon

        self.both_worlds(name_them)

    def test_by_a_peer(self):
        liar = Pex(self, self.liar, self.torrent, self.named)

        def name_them(laboratory):
            daemon = self.world(f'pex-{laboratory}', laboratory)
            daemon.add(self.torrent.path)
            daemon.ctl('connect', self.torrent.hash, self.liar.endpoint())
            wait_for(lambda: liar.told > laboratory, 30, daemon.tail)
            return daemon

        self.both_worlds(name_them)

    def test_by_a_node_of_the_dht(self):
        node = Node(self, self.liar, self.named)

        def name_them(laboratory):
            asked = node.asked[b'get_peers']
            daemon = self.world(f'dht-{laboratory}', laboratory, f'  dht_routers: ["{self.liar.endpoint()}"]\n', dht=True)
            daemon.add(self.bare)
            wait_for(lambda: node.asked[b'get_peers'] > asked, 60, lambda: f'{node.asked} {daemon.tail()}')
            return daemon

        self.both_worlds(name_them)

    def test_by_the_notes_of_a_laboratory(self):
        """Where one of the private network may stand: there we were."""
        tracker = Tracker(self, self.liar.address, 6969, where=self.liar.inside(), peers=self.named)
        daemon = self.world('notes', True)
        daemon.add(self.torrent.magnet(trackers=[tracker.url]))
        self.assert_dialled(daemon, *self.named)
        daemon.stop()
        tracker.peers = []

        for laboratory in (True, False):
            with self.subTest(laboratory=laboratory):
                daemon = self.world('notes', laboratory)
                self.assert_dialled(daemon, *(self.named if laboratory else self.private + self.peer + self.loopback[2:]))
                daemon.stop()


if __name__ == '__main__':
    lab.main()
