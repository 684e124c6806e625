"""Transmission and we find each other by a bare info-hash, with the DHT and nothing else; one of them serves for both ways, as it takes half
a minute until it trusts its DHT."""
import lab
from dht_interop import ByTheDht
from lab import needs, needs_root


@needs_root()
@needs('ip', 'nsenter', 'nft')
class WithTransmission(ByTheDht):
    @needs('transmission-daemon', 'transmission-remote')
    def test_it_finds_us_and_we_find_it(self):
        ours, daemon = self.torrent, self.complete(self.ours, self.third, **self.ways).start()
        self.wait_announced(ours, self.ours.endpoint(), daemon.tail)
        theirs = lab.make_torrent(lab.write_random(self.directory / 'theirs' / 'theirs.bin', self.SIZE, seed=2))
        other = self.transmission(dht_nodes=self.addresses)
        other.seed(theirs)

        other.leech(self.bare)

        whole = other.downloads / ours.name
        self.assert_comes_in(daemon, self.has(whole), lambda: other.remote('-l').stdout)
        self.wait_announced(theirs, other.endpoint, lambda: other.remote('-l').stdout)
        self.assert_found_by_us(theirs, daemon)


if __name__ == '__main__':
    lab.main()
