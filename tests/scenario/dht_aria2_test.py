"""aria2 and we find each other by a bare info-hash, with the DHT and nothing else."""
import lab
from dht_interop import ByTheDht
from lab import needs, needs_root


@needs_root()
@needs('ip', 'nsenter', 'nft')
class WithAria2(ByTheDht):
    def of_aria2(self):
        return ['--enable-dht=true', '--dht-entry-point=' + self.others.endpoint(), f'--dht-file-path={self.directory}/dht.dat',
                '--dht-listen-port=6882']

    @needs('aria2c')
    def test_we_find_aria2(self):
        seed = self.aria2(self.torrent.path, 'data', '--check-integrity=true', *self.of_aria2())
        self.wait_announced(self.torrent, self.theirs.endpoint(seed.port), seed.tail)

        self.assert_found_by_us(self.torrent, self.daemon(self.ours, **self.ways))

    @needs('aria2c')
    def test_aria2_finds_us(self):
        daemon = self.complete(self.ours, self.third, **self.ways).start()
        self.wait_announced(self.torrent, self.ours.endpoint(), daemon.tail)

        leech = self.aria2(self.bare, 'got', *self.of_aria2())

        self.assert_comes_in(daemon, self.has(leech.directory / self.torrent.name), leech.tail)


if __name__ == '__main__':
    lab.main()
