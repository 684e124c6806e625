"""Other people's clients and we find each other by a bare info-hash, with local discovery and nothing else: we find them (by their source in
`peers`), and they find us (they come in). libtorrent's part is in discovery_test; dht_aria2_test and dht_transmission_test do the same with the DHT.
"""
import socket

import lab
from interop import Interop
from lab import needs, needs_root
from networks import PRIVATE4

GROUP = ('239.192.152.143', 6771)  # BEP 14


@needs_root()
@needs('ip', 'nsenter', 'nft')
class ByLocalDiscovery(Interop):
    NETWORK = PRIVATE4.format(1)

    def hear(self):
        """The local network, as the third computer hears it: an announcement that we are too late for."""
        with self.third.inside():
            heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(heard.close)
        heard.bind(GROUP)
        heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP[0]) + socket.inet_aton(self.third.address))
        heard.settimeout(60)
        return heard

    @needs('transmission-daemon', 'transmission-remote')
    def test_we_find_transmission(self):
        daemon = self.daemon(self.ours, lsd=True)
        path = daemon.add(self.bare)

        self.transmission(**{'lpd-enabled': True}).seed(self.torrent)

        self.assert_read_from(daemon, path, 'lsd')

    @needs('transmission-daemon', 'transmission-remote')
    def test_transmission_finds_us(self):
        daemon = self.complete(self.ours, self.third, lsd=True)
        heard, leech = self.hear(), self.transmission(**{'lpd-enabled': True})
        leech.leech(self.bare)
        heard.recv(1500)

        daemon.start()

        self.assert_comes_in(daemon, self.has(leech.downloads / self.torrent.name), leech.details)

    @needs('aria2c')
    def test_we_find_aria2(self):
        daemon = self.daemon(self.ours, lsd=True)
        path = daemon.add(self.bare)

        self.aria2(self.torrent.path, 'data', '--check-integrity=true', '--bt-enable-lpd=true')

        self.assert_read_from(daemon, path, 'lsd')

    @needs('aria2c')
    def test_aria2_finds_us(self):
        daemon = self.complete(self.ours, self.third, lsd=True)
        heard, leech = self.hear(), self.aria2(self.bare, 'got', '--bt-enable-lpd=true')
        heard.recv(1500)

        daemon.start()

        self.assert_comes_in(daemon, self.has(leech.directory / self.torrent.name), leech.tail)


if __name__ == '__main__':
    lab.main()
